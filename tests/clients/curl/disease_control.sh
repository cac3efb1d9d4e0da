# The day of disease control: a case, its report, its document, and the feed that told of it.

control=$(told '.tokens["disease-control"]')
doctor=$(told '.schools[3].tokens["school-doctor"]')
reporter=$(told '.schools[3].tokens["epidemic-reporter"]')

call "$control" /v1/samplingFeed:snapshot
[[ $status == 200 ]] || fail "the feed: status $status"
resume=$(jq -r 'select(.result.resumeToken) | .result.resumeToken | @uri' "$reply" | tail -1)
[[ -n $resume ]] || fail 'the last page says where to go on'

call "$doctor" /v1/cases "{\"person\": \"$(told .schools[3].classGroups[1].students[0])\", \"disease\": \"DISEASE_HFMD\",
    \"detection\": \"DETECTION_CHECK\", \"requestId\": \"$(request_id)\"}"
answered '.certainty == "CERTAINTY_SUSPECTED"' 'a case'
name=$(got .name)
call "$reporter" "/v1/$name/reports" "{\"requestId\": \"$(request_id)\", \"report\": {\"kind\": \"KIND_FIRST\",
    \"place\": \"三年（2）班教室\", \"suspectedCount\": 1, \"measures\": \"已隔离，教室终末消毒\",
    \"contactPost\": \"学校疫情报告人\"}}"
answered '.kind == "KIND_FIRST" and (.late | not)' 'a report'
call "$control" "/v1/$name/reports:acknowledge" "{\"level\": \"LEVEL_COUNTY_HEALTH\", \"requestId\": \"$(request_id)\"}"
answered '.kind == "KIND_RECEIVED"' 'the report is received'
call "$control" "/v1/$name:confirm" "{\"reason\": \"实验室确认\", \"requestId\": \"$(request_id)\"}"
answered '.certainty == "CERTAINTY_CONFIRMED"' 'the case is confirmed'
call "$control" "/v1/$name:confirm" '{"reason": "实验室确认", "requestId": "not a UUID"}'
refused 400 3 INVALID_FIELD 'an identifier that is none'
field request_id 'an identifier that is none'

call "$control" "/v1/$name:export" '{"format": "EXPORT_FORMAT_JSON", "purpose": "流行病学调查"}'
[[ $status == 200 ]] || fail "the document: status $status"
jq -r .result.content "$reply" | base64 --decode | jq -e '.reports | length == 1' >/dev/null || fail 'the document'

found=
while [[ -z $found ]]; do
    read -r -t 30 line || fail 'the feed tells of the case'
    found=$(jq -r --arg name "$name" '.result.events[]?.case | select(.name == $name) | .certainty' <<<"$line" |
        grep -x CERTAINTY_CONFIRMED | head -1 || true)
done < <("${curl[@]}" --no-buffer --header "authorization: Bearer $control" \
    "$base/v1/samplingFeed:watch?resumeToken=$resume")
