//! Documents that leave this service, judged by somebody else: the schema of CAP 1.2 (OASIS, chapter 3.4),
//! written down as a table, and an XML parser that is not ours.

use std::process::Stdio;

use kit::scratch::Scratch;
use proto::notification::warning_reference::Type;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::town::on_both;
use crate::town::world::World;
use crate::warning_exports::{asked, sent};

on_both!(
    documents_of_real_warnings_keep_to_the_schema,
    documents_of_exercises_keep_to_the_schema,
);

/// Prints what is wrong with the document on its input, an element a line.
const JUDGE: &str = r#"
import re, sys
import xml.etree.ElementTree as tree

SPACE = '{urn:oasis:names:tc:emergency:cap:1.2}'
TIME = r'\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d'
WORD = r'[^\s,<&]+'
TEXT, NUMBER, WHOLE, URI = r'(?s).*', r'-?\d+(\.\d+)?', r'\d+', r'\S+'
def among(*words): return '|'.join(words)

# Each element in its place: name, least and most (None for any number), and what it holds.
NAMED = [('valueName', 1, 1, TEXT), ('value', 1, 1, TEXT)]
RESOURCE = [
    ('resourceDesc', 1, 1, TEXT), ('mimeType', 1, 1, TEXT), ('size', 0, 1, WHOLE),
    ('uri', 0, 1, URI), ('derefUri', 0, 1, TEXT), ('digest', 0, 1, TEXT),
]
AREA = [
    ('areaDesc', 1, 1, TEXT), ('polygon', 0, None, TEXT), ('circle', 0, None, TEXT),
    ('geocode', 0, None, NAMED), ('altitude', 0, 1, NUMBER), ('ceiling', 0, 1, NUMBER),
]
INFO = [
    ('language', 0, 1, r'[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*'),
    ('category', 1, None, among('Geo', 'Met', 'Safety', 'Security', 'Rescue', 'Fire', 'Health',
        'Env', 'Transport', 'Infra', 'CBRNE', 'Other')),
    ('event', 1, 1, TEXT),
    ('responseType', 0, None, among('Shelter', 'Evacuate', 'Prepare', 'Execute', 'Avoid', 'Monitor',
        'Assess', 'AllClear', 'None')),
    ('urgency', 1, 1, among('Immediate', 'Expected', 'Future', 'Past', 'Unknown')),
    ('severity', 1, 1, among('Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown')),
    ('certainty', 1, 1, among('Observed', 'Likely', 'Possible', 'Unlikely', 'Unknown')),
    ('audience', 0, 1, TEXT), ('eventCode', 0, None, NAMED), ('effective', 0, 1, TIME),
    ('onset', 0, 1, TIME), ('expires', 0, 1, TIME), ('senderName', 0, 1, TEXT),
    ('headline', 0, 1, TEXT), ('description', 0, 1, TEXT), ('instruction', 0, 1, TEXT),
    ('web', 0, 1, URI), ('contact', 0, 1, TEXT), ('parameter', 0, None, NAMED),
    ('resource', 0, None, RESOURCE), ('area', 0, None, AREA),
]
ALERT = [
    ('identifier', 1, 1, WORD), ('sender', 1, 1, WORD), ('sent', 1, 1, TIME),
    ('status', 1, 1, among('Actual', 'Exercise', 'System', 'Test', 'Draft')),
    ('msgType', 1, 1, among('Alert', 'Update', 'Cancel', 'Ack', 'Error')),
    ('source', 0, 1, TEXT), ('scope', 1, 1, among('Public', 'Restricted', 'Private')),
    ('restriction', 0, 1, TEXT), ('addresses', 0, 1, TEXT), ('code', 0, None, TEXT),
    ('note', 0, 1, TEXT),
    ('references', 0, 1, r'\s*(%s,%s,%s(\s+%s,%s,%s)*)?\s*' % ((WORD, WORD, TIME) * 2)),
    ('incidents', 0, 1, TEXT), ('info', 0, None, INFO),
]

def judge(element, rules, path, faults):
    found = list(element)
    for name, least, most, holds in rules:
        count = 0
        while found and found[0].tag == SPACE + name and (most is None or count < most):
            child, here = found.pop(0), '%s/%s' % (path, name)
            count += 1
            if isinstance(holds, list):
                judge(child, holds, here, faults)
            elif len(child) or not re.fullmatch(holds, child.text or ''):
                faults.append(here)
        if count < least:
            faults.append('%s/%s' % (path, name))
    if found:
        faults.append('%s: %s' % (path, found[0].tag.replace(SPACE, '')))

document, faults = tree.fromstring(sys.stdin.buffer.read()), []
if document.tag != SPACE + 'alert':
    faults.append('alert')
else:
    judge(document, ALERT, 'alert', faults)
print('\n'.join(faults))
"#;

/// What is wrong with a document; none where there is no Python.
#[expect(
    clippy::disallowed_methods,
    reason = "which Python there is belongs to the machine"
)]
#[expect(clippy::print_stderr, reason = "a skipped test must not go unnoticed")]
async fn judged(document: &[u8]) -> Option<Vec<String>> {
    let python = std::env::var("CAMPUS_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let started = Command::new(&python)
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut judge) = started else {
        assert!(
            std::env::var("CAMPUS_REQUIRE_AIOSMTPD").is_err(),
            "Python is required and there is no {python}"
        );
        eprintln!("\n*** SKIPPED: there is no {python} ***\n");
        return None;
    };
    let mut input = judge.stdin.take().expect("piped");
    input.write_all(document).await.expect("written");
    drop(input);
    let output = judge.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "the judge reads the document");
    let told = String::from_utf8(output.stdout).expect("text");
    let faults = told.lines().filter(|line| !line.is_empty());
    Some(faults.map(ToOwned::to_owned).collect())
}

async fn documents_of_real_warnings_keep_to_the_schema(scratch: Scratch) {
    a_chain_keeps_to_the_schema(scratch, false).await;
}

async fn documents_of_exercises_keep_to_the_schema(scratch: Scratch) {
    a_chain_keeps_to_the_schema(scratch, true).await;
}

async fn a_chain_keeps_to_the_schema(scratch: Scratch, exercise: bool) {
    let mut world = World::new(scratch).await;
    sent(&world.db, exercise).await;
    for of in [Type::Alert, Type::Update, Type::Cancel] {
        let answer = world.export(asked(of)).await.expect("written");
        let Some(faults) = judged(&answer.document).await else {
            return;
        };
        assert_eq!(faults, [""; 0], "{of:?}");
    }
}

/// Everything that the writer can write.
const WHOLE: &str = r#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>w2</identifier><sender>met@example.cn</sender><sent>2022-06-02T08:30:11+08:00</sent>
<status>Actual</status><msgType>Update</msgType><source>某市气象台</source><scope>Restricted</scope>
<restriction>教育系统</restriction><addresses>a b</addresses><code>c1</code><code>c2</code>
<note>说明</note><references>met@example.cn,w1,2022-06-02T06:30:11+08:00</references>
<incidents>i1</incidents>
<info><language>zh-CN</language><category>Met</category><category>Safety</category><event>台风</event>
<responseType>Shelter</responseType><responseType>Monitor</responseType><urgency>Expected</urgency>
<severity>Severe</severity><certainty>Likely</certainty><audience>学校</audience>
<eventCode><valueName>GB/T 35965.1</valueName><value>11B01</value></eventCode>
<effective>2022-06-02T09:00:00+08:00</effective><onset>2022-06-02T12:00:00+08:00</onset>
<expires>2022-06-03T08:30:11+08:00</expires><senderName>某市气象台</senderName>
<headline>台风橙色预警 &amp; 停课</headline><description>平均风力 &lt;10 级</description>
<instruction>留在室内</instruction><web>https://example.cn/w2</web><contact>值班室</contact>
<parameter><valueName>ColorCode</valueName><value>Orange</value></parameter>
<resource><resourceDesc>路径图</resourceDesc><mimeType>image/png</mimeType><size>1024</size>
<uri>https://example.cn/w2.png</uri><digest>0123456789abcdef0123456789abcdef01234567</digest></resource>
<area><areaDesc>鼓楼区</areaDesc><polygon>26.0,119.2 26.1,119.2 26.1,119.3 26.0,119.2</polygon>
<circle>26.08,119.3 12.5</circle><geocode><valueName>区划</valueName><value>350102</value></geocode>
<altitude>0</altitude><ceiling>100</ceiling></area>
</info></alert>"#;

#[tokio::test]
async fn whatever_the_writer_writes_keeps_to_the_schema() {
    let message = cap::read(WHOLE.as_bytes()).expect("a document");
    let written = cap::write(&message).expect("written");
    for document in [WHOLE, &written] {
        let Some(faults) = judged(document.as_bytes()).await else {
            return;
        };
        assert_eq!(faults, [""; 0], "{document}");
    }
    assert_eq!(cap::read(written.as_bytes()).expect("a document"), message);
}

#[tokio::test]
async fn the_judge_sees_what_is_wrong() {
    for (from, to, fault) in [
        ("<scope>Restricted</scope>", "", "alert/scope"),
        ("<event>台风</event>", "", "alert/info/event"),
        (
            "<status>Actual</status>",
            "<status>Real</status>",
            "alert/status",
        ),
        ("<identifier>w2<", "<identifier>w 2<", "alert/identifier"),
        ("08:30:11+08:00</sent>", "08:30:11Z</sent>", "alert/sent"),
        (
            "<size>1024</size>",
            "<size>1 KiB</size>",
            "alert/info/resource/size",
        ),
        (
            "<areaDesc>鼓楼区</areaDesc>",
            "",
            "alert/info/area/areaDesc",
        ),
        ("<value>11B01</value>", "", "alert/info/eventCode/value"),
        ("met@example.cn,w1,", "w1,", "alert/references"),
        (
            "<note>说明</note>",
            "<note>一</note><note>二</note>",
            "alert: note",
        ),
        (
            "<urgency>Expected</urgency>\n<severity>Severe</severity>",
            "<severity>Severe</severity><urgency>Expected</urgency>",
            "alert/info/urgency",
        ),
        ("cap:1.2", "cap:1.1", "alert"),
    ] {
        let changed = WHOLE.replacen(from, to, 1);
        assert_ne!(changed, WHOLE, "{from}");
        let Some(faults) = judged(changed.as_bytes()).await else {
            return;
        };
        assert!(faults.iter().any(|told| told == fault), "{to}: {faults:?}");
    }
}
