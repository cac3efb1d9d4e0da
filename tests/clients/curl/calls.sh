# What is true of every call: who is let in, for how long, by which protocol and by which words.

officer=$(told '.tokens["city-officer"]')

call '' "/v1/$city"
refused 401 16 TOKEN_INVALID 'nobody'
call forged "/v1/$city"
refused 401 16 TOKEN_INVALID 'a forged token'
call "$(told .tokens.expired)" "/v1/$city"
refused 401 16 TOKEN_EXPIRED 'a token that is over'
call '' "/v1/$city" '' --cert "$(told .certificates.stranger.certificate)" --key "$(told .certificates.stranger.key)"
refused 401 16 PARTNER_UNKNOWN 'a certificate of no partner'
for protocol in --http1.1 --http2; do
    call "$officer" "/v1/$city" '' "$protocol"
    answered ".name == \"$city\"" "$protocol"
done
call "$officer" /v1/organizations/nowhere
refused 404 5 NOT_FOUND 'an organisation that is not there'
call "$officer" /v1/nothing
refused 404 12 UNKNOWN_METHOD 'a path that is not there'
call "$officer" "/v1/$city" '' --header 'x-campus-purpose: curiosity'
refused 400 3 INVALID_FIELD 'a purpose that is none'
field x-campus-purpose 'a purpose that is none'
call "$officer" /v1/plans '{"plan": '
refused 400 3 MESSAGE_MALFORMED 'half a body'
call "$officer" "/v1/$city/alerts:watch" '' --header 'x-request-timeout: 0.5'
[[ $status == 200 ]] || fail "a stream with a deadline: status $status"
tail -1 "$reply" | jq -e '.error.code == 4' >/dev/null || fail 'a stream says that its deadline has passed'
call '' /openapi.json
answered '.openapi | startswith("3.1")' 'the document of HTTP/JSON'
for path in /healthz /readyz; do
    call '' "$path"
    answered '.status == "SERVING"' "$path"
done
if curl --silent --tls-max 1.2 --cacert "$ca" "$base/healthz"; then fail 'TLS 1.2 is spoken'; fi
if curl --silent "$base/healthz"; then fail 'an unknown authority is believed'; fi
