//! JUnit's XML held against the schema that Jenkins' xUnit plugin validates with: what was recorded, which `cargo test` compares with what
//! is written.

use crate::support::{program, project, run, scratch, write};

const RECORDED: &str = "tests/kpki/golden/verify/findings.junit.xml";

#[test]
fn xmllint_finds_junit_valid() {
    let schema = project("fixtures/schemas/junit-10.xsd");
    let lint = |file: &std::path::Path| {
        run(program("xmllint").args(["--noout", "--nonet", "--schema"]).arg(&schema).arg(file))
    };
    lint(&project(RECORDED)).expect_ok(RECORDED);
    let text = std::fs::read_to_string(project(RECORDED)).unwrap();
    let place = scratch();
    // Status 3: it is XML, and not valid.
    for (from, to) in [("<testcase classname", "<testcase klass"), (" errors=\"0\" skipped", " skipped")] {
        assert!(text.contains(from));
        let broken = write(place.path().join("broken.xml"), text.replace(from, to));
        lint(&broken).expect_code(3, from);
    }
}
