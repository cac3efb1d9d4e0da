# The day of a laboratory, known by its certificate: from the draw to the bench.

school=$(told .schools[2].name)
class_group=$(told .schools[2].classGroups[0].name)
reporter=$(told '.schools[2].tokens["epidemic-reporter"]')
sampler=$(told .schools[2].tokens.sampler)
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
# Results are a stream of the caller, which JSON has no way for.
call '' "/v1/tubes/$tube/result" '' "${certificate[@]}"
refused 404 5 NOT_FOUND 'a result that is not there'
call '' "/v1/holds?organization=$school" '' "${certificate[@]}"
refused 403 7 SCOPE_DENIED 'a laboratory and holds'
