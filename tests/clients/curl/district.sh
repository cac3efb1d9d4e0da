# The day of a district: coverage, the overview, alerts as they come.

officer=$(told '.tokens["district-officer"]')
school=$(told .schools[1].name)
class_group=$(told .schools[1].classGroups[0].name)
reporter=$(told .schools[1].classGroups[0].reporter)

call "$officer" "/v1/$district/coverage"
answered ".enrolledCount == \"$(told '[.schools[].classGroups[].students | length] | add | tostring')\"" 'coverage'
call "$officer" "/v1/$district/healthCoverages?checkDate.year=$(told .today.year)&checkDate.month=$(told .today.month)&checkDate.day=$(told .today.day)"
answered "[.healthCoverages[].scope] | contains($(told '[.schools[].name] | tostring'))" 'coverage of schools'
call "$officer" "/v1/$city/coverage"
refused 403 7 SCOPE_DENIED 'the coverage of the city'
call "$officer" "/v1/$district/overview"
answered '.sections | any(.kind == "KIND_PEOPLE" and .state == "STATE_CURRENT")' 'the overview'

# A stream is a line for each message; curl writes each as it comes.
coproc watch {
    exec "${curl[@]}" --no-buffer --header "authorization: Bearer $officer" "$base/v1/$district/alerts:watch"
}
watched=${watch[0]} watcher=$watch_PID
read -r -t 30 line <&"$watched" || fail 'the stream begins'
jq -e '.result' <<<"$line" >/dev/null || fail "not the beginning of a stream: $line"
call "$reporter" "/v1/$class_group/checks" "$(three_fevers 1 0)"
answered '.verdict == "VERDICT_STORED"' 'a check'
found=
while [[ -z $found ]]; do
    read -r -t 30 line <&"$watched" || fail 'the alert comes while somebody watches'
    found=$(jq -r --arg school "$school/" \
        '[.result.alerts[]? | select((.name | startswith($school)) and .kind == "KIND_CLUSTER_FOUND").name][0] // ""' <<<"$line")
done
kill "$watcher"
wait "$watcher" 2>/dev/null || true
call "$officer" "/v1/$found"
answered '.kind == "KIND_CLUSTER_FOUND" and .peopleCount == 3' 'the alert'
