# The city that is called: where it is, who calls, and how an answer is judged.

stand=$CAMPUS_STAND/stand.json
reply=$CAMPUS_STAND/curl-reply.json
# How often anything is asked for before it is given up, and the pause between, in seconds.
tries=600
pause=0.05

told() { jq -er "$1" "$stand"; }

address=$(told .address)
base=https://$address
ca=$(told .ca)
city=$(told .city)
district=$(told .district)
today=$(told '.today | tostring')
curl=(curl --silent --show-error --cacert "$ca" --tlsv1.3 --max-time 30)

# Ends the suite.
fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [[ ! -s $reply ]] || cat "$reply" >&2
    exit 1
}

# A UUID of which no other call of this suite has the same.
request_id() { cat /proc/sys/kernel/random/uuid; }

# call TOKEN PATH [BODY] [OPTION…]: a GET, or a POST where there is a body; the status of HTTP is in $status.
call() {
    local token=$1 path=$2 body=${3:-}
    shift $(($# < 3 ? $# : 3))
    local options=()
    [[ -z $token ]] || options+=(--header "authorization: Bearer $token")
    [[ -z $body ]] || options+=(--header 'content-type: application/json' --data-binary "$body")
    status=$("${curl[@]}" --output "$reply" --write-out '%{http_code}' "${options[@]}" "$@" "$base$path") ||
        fail "$path: curl ended with $?"
}

# answered FILTER WHAT: the last answer is good, and jq's FILTER of it is true.
answered() {
    [[ $status == 200 ]] || fail "$2: status $status"
    jq -e "$1" "$reply" >/dev/null || fail "$2: not $1"
}

# refused STATUS CODE REASON WHAT: the last answer is an error with all that belongs to it.
refused() {
    [[ $status == "$1" ]] || fail "$4: status $status in place of $1"
    jq -e --argjson code "$2" --arg reason "$3" '
        .code == $code
        and (.details | any(.["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
            and .reason == $reason and .domain == "campus"))
        and (.details | any(.locale == "zh-CN" and (.message | length > 0)))
    ' "$reply" >/dev/null || fail "$4: not $3"
}

# field NAME WHAT: the last answer complains of this field and no other.
field() {
    jq -e --arg name "$1" '[.details[].fieldViolations[]?.field] == [$name]' "$reply" >/dev/null ||
        fail "$2: not of $1"
}

got() { jq -er "$1" "$reply"; }

# until WHAT FILTER CALL…: asks again until jq's FILTER of the answer is true, but not for ever.
until_told() {
    local what=$1 filter=$2
    shift 2
    for ((try = 0; try < tries; try++)); do
        call "$@"
        [[ $status == 200 ]] || fail "$what: status $status"
        if jq -e "$filter" "$reply" >/dev/null; then return; fi
        sleep "$pause"
    done
    fail "waited in vain: $what"
}
