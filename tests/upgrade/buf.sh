# shellcheck shell=bash
# The buf of whoever sources this: the one that BUF names, that of the machine, or that of npm.
if [[ -n ${BUF:-} ]]; then
    buf=("$BUF")
elif command -v buf >/dev/null; then
    buf=(buf)
else
    buf=(npx --yes @bufbuild/buf@1)
fi
