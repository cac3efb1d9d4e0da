# The day of a laboratory, known by its certificate: from the draw to a positive tube.

school=$(told .schools[2].name)
class_group=$(told .schools[2].classGroups[0].name)
reporter=$(told '.schools[2].tokens["epidemic-reporter"]')
sampler=$(told .schools[2].tokens.sampler)
doctor=$(told '.schools[2].tokens["school-doctor"]')
certificate=(--cert "$(told .certificates.laboratory.certificate)" --key "$(told .certificates.laboratory.key)")
tube=CURL-0001

call "$(told '.tokens["city-officer"]')" "/v1/plans?planId=daily&requestId=$(request_id)" "{\"displayName\": \"每日抽样\",
    \"kind\": \"KIND_STUDENT_ROTATION\", \"organization\": \"$city\", \"startDate\": $today}"
answered '.name == "plans/daily"' 'a plan'
call "$reporter" /v1/draws:drawDay "{\"plan\": \"plans/daily\", \"organization\": \"$school\"}"
[[ $status == 200 ]] || fail "a draw: status $status"
tail -1 "$reply" | jq -e '.result.finished and .result.drawnSchoolCount == 1' >/dev/null || fail 'a school is drawn'
call "$reporter" "/v1/draws?organization=$school"
answered '.draws | length == 1' 'the draw'
draw=$(got .draws[0].name)
call "$reporter" "/v1/$draw/assignments?classGroup=$class_group"
answered '.assignments | length > 0' 'who is drawn'
mapfile -t people < <(got '.assignments[].person')

call '' /v1/tubes:issue "{\"lot\": \"LOT-1\", \"poolType\": \"POOL_TYPE_P10\", \"organization\": \"$city\",
    \"tubeCodes\": [\"$tube\"]}" "${certificate[@]}"
answered '.issuedCount == 1' 'a tube is issued'
call "$sampler" "/v1/tubes/$tube:open" "{\"classGroup\": \"$class_group\", \"draw\": \"$draw\"}"
answered '.state == "STATE_OPEN"' 'a tube is opened'
for person in "${people[@]}"; do
    call "$sampler" "/v1/tubes/$tube:addSwab" "{\"person\": \"$person\"}"
    answered '.outcome == "OUTCOME_ADDED"' 'a swab'
done
call "$sampler" "/v1/tubes/$tube:seal" '{}'
answered '.state == "STATE_SEALED"' 'a tube is sealed'
call "$sampler" "/v1/tubes/$tube:handOver" '{"courier": "courier-07"}'
answered '.state == "STATE_HANDED_OVER"' 'a tube is handed over'
call '' "/v1/tubes/$tube:receive" '{"courier": "courier-07", "receiver": "bench-02"}' "${certificate[@]}"
answered '.state == "STATE_LAB_RECEIVED"' 'a tube is received'
call '' "/v1/tubes/$tube:startTesting" '{}' "${certificate[@]}"
answered ".state == \"STATE_TESTING\" and .swabCount == ${#people[@]} and (has(\"classGroup\") | not)" 'a tube is tested'
call '' "/v1/tubes/$tube/result" '' "${certificate[@]}"
refused 404 5 NOT_FOUND 'a result that is not there'
result() { printf '{"tube": "tubes/%s", "report": "R-%s", "version": 1, "value": "RESULT_VALUE_POSITIVE"}' "$1" "$1"; }
results="{\"requestId\": \"$(request_id)\", \"results\": [$(result "$tube"), $(result CURL-9999)]}"
for turn in first second; do
    call '' /v1/results:batchSubmit "$results" "${certificate[@]}"
    answered '.verdicts | map([.accepted, .repeatedResult, .errorReason]) == [[true, null, null], [null, null, "SCOPE_DENIED"]]' \
        "results, sent for the $turn time"
done
call '' /v1/results:batchSubmit "{\"results\": [$(result "$tube")]}" "${certificate[@]}"
answered '.verdicts[0].accepted and .verdicts[0].repeatedResult' 'a result that was taken before'
call '' /v1/results:batchSubmit '{"results": []}' "${certificate[@]}"
refused 400 3 INVALID_FIELD 'no results'
field results 'no results'
call '' "/v1/tubes/$tube/result" '' "${certificate[@]}"
answered '.value == "RESULT_VALUE_POSITIVE"' 'the result'
until_told 'everybody of the tube is held' "(.holds[0].members | length) == ${#people[@]}" \
    "$doctor" "/v1/holds?organization=$school&active=true"
call '' "/v1/holds?organization=$school" '' "${certificate[@]}"
refused 403 7 SCOPE_DENIED 'a laboratory and holds'
