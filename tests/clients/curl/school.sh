# The day of a school: a check, a cluster, the doctor, the gate.

school=$(told .schools[0].name)
first=$(told .schools[0].classGroups[0].name)
second=$(told .schools[0].classGroups[1].name)
reporter=$(told .schools[0].classGroups[0].reporter)
doctor=$(told '.schools[0].tokens["school-doctor"]')
guard=$(told .schools[0].tokens.guard)
ill=$(told .schools[0].classGroups[0].students[0])
well=$(told .schools[0].classGroups[0].students[3])

# three_fevers SCHOOL CLASS_GROUP: a morning check of everybody, of whom three have a fever; both from 0.
three_fevers() {
    jq -ec --argjson school "$1" --argjson class "$2" --arg id "$(request_id)" '
        .today as $today | .schools[$school].classGroups[$class] | {
            checkDate: $today,
            slot: "SLOT_MORNING",
            rollCount: (.students | length),
            presentCount: (.students | length),
            findings: [.students[:3][] | {person: ., symptoms: ["SYMPTOM_FEVER"], temperatureTenths: 378}],
            clientId: $id
        }' "$stand"
}

check=$(three_fevers 0 0)
call "$reporter" "/v1/$first/checks" "$check"
answered '.verdict == "VERDICT_STORED" and .check.findingCount.count == 3' 'a check'
name=$(got .check.name)
call "$reporter" "/v1/$first/checks" "$check"
answered '.verdict == "VERDICT_REPEATED"' 'the same again'
call "$reporter" "/v1/$name"
answered '.state == "STATE_SYMPTOMS" and (.version | type) == "string"' 'the check, with 64 bits as text'
call "$reporter" "/v1/$second/checks" "$(three_fevers 0 1)"
refused 403 7 SCOPE_DENIED 'the check of another class group'
call "$reporter" "/v1/$first/checks" "$(jq -c 'del(.clientId)' <<<"$check")"
refused 400 3 INVALID_FIELD 'a check without an identifier'
field check.client_id 'a check without an identifier'

call "$(told '.schools[0].tokens["epidemic-reporter"]')" "/v1/$school/missingChecks?slot=SLOT_MORNING"
answered "[.missingChecks[].scope] | contains([\"$second\"]) and (contains([\"$first\"]) | not)" 'who is missing'
call "$doctor" "/v1/clusters?organization=$school"
answered '[.clusters[].personCount] == [3]' 'the cluster'
call "$doctor" "/v1/$(got .clusters[0].name):acknowledge" "{\"note\": \"已核实\", \"requestId\": \"$(request_id)\"}"
answered '.state == "STATE_ACKNOWLEDGED"' 'the cluster is seen'

# enter PERSON: somebody who looks well comes to the gate.
enter() {
    printf '{"person": "%s", "device": "south gate", "observation": {"temperatureDecidegrees": 365,
        "colour": "COLOUR_GREEN", "travelCard": {"showDate": %s}}}' "$1" "$today"
}
until_told 'the gate denies' '.effectiveResult == "RESULT_DENY"' \
    "$guard" "/v1/$school/gateDecisions:check" "$(enter "$ill")"
answered '[.reasons[].code] == ["CODE_NOT_ADMITTED"] and .reasons[0].rule != ""' 'a denial says why'
call "$guard" "/v1/$school/gateDecisions:check" "$(enter "$well")"
answered '.effectiveResult == "RESULT_ADMIT"' 'who is well comes in'
call "$guard" "/v1/$school/gateDecisions?pageSize=1"
answered '(.gateDecisions | length) == 1' 'a page'
page=$(jq -r '.nextPageToken | @uri' "$reply")
call "$guard" "/v1/$school/gateDecisions?pageSize=1&pageToken=$page"
answered '(.gateDecisions | length) == 1' 'the next page'
call "$guard" "/v1/$school/gateDecisions?pageSize=many"
refused 400 3 INVALID_FIELD 'a page of many'

call "$doctor" "/v1/$ill/health:observe" "{\"room\": \"观察室\", \"requestId\": \"$(request_id)\"}"
answered '.state == "STATE_IN_TEMP_OBSERVATION"' 'somebody is observed'
call "$doctor" "/v1/$ill/health:releaseObservation" \
    "{\"readingsTenths\": [368, 366], \"noSymptoms\": true, \"requestId\": \"$(request_id)\"}"
answered '.state == "STATE_NORMAL"' 'somebody is let go'
until_told 'the gate admits' '.effectiveResult == "RESULT_ADMIT"' \
    "$guard" "/v1/$school/gateDecisions:check" "$(enter "$ill")"
call "$reporter" "/v1/$ill/health"
refused 403 7 SCOPE_DENIED 'a reporter and the state of somebody'
