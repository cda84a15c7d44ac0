//! Small sources that are against one rule each: every rule has to be able to fail.

use super::checks::{self, Violation, unexcused};
use super::circles::circles;
use super::house::{Expanded, File, House};
use super::rules::{LONGEST_FILE, LONGEST_MAIN};
use super::tokens::production;

const RANKS: &[&[&str]] = &[&["main"], &["commands"], &["plan", "audit"], &["store"], &["clock", "encoding"]];

fn keys(violations: Vec<Violation>) -> Vec<String> {
    let mut keys: Vec<String> = violations.into_iter().map(|one| one.key).collect();
    keys.dedup();
    keys
}

/// The keys of what a rule finds in one file.
fn found(path: &str, text: &str, rule: impl Fn(&House) -> Vec<Violation>) -> Vec<String> {
    keys(rule(&House::new([(path, text)])))
}

fn code(text: &str) -> String {
    production(text).iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
}

#[test]
fn comments_and_literals_are_no_code() {
    for (text, tokens) in [
        ("a // b\nc", "a c"),
        ("a /* b /* c */ d */ e", "a e"),
        (r#"f("use crate::x; \" // ")g"#, r#"f ( "" ) g"#),
        ("r#\"a\"b\"# c", "\"\" c"),
        ("br\"a\\\" b\"x\\\"\"c", "\"\" \"\" c"),
        ("'a' b '\\'' c '\"' d &'a str", "' b ' c ' d & ' a str"),
        ("'\\u{1f}' x", "' x"),
        ("a::b <c>", "a :: b < c >"),
    ] {
        assert_eq!(code(text), tokens, "{text}");
    }
}

#[test]
fn only_tests_are_left_out() {
    for (text, rest) in [
        ("a; #[cfg(test)] mod tests; b;", "a ; b ;"),
        ("#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\nfn b() {}", "fn b ( ) { }"),
        ("#[cfg(test)] mod tests { fn a() { { } } } c", "c"),
        ("#[cfg(test)] pub(crate) fn a<A, B>(x: [u8; 2]) -> B { x; } c", "c"),
        ("#[cfg(test)] use a::{b, c}; d", "d"),
        ("#[cfg(all(test, unix))] const A: [u8; 2] = [1; 2]; d", "d"),
        ("#[cfg(test)] const fn a() { } d", "d"),
        ("struct A { #[cfg(test)] a: u8, b: u8 }", "struct A { b : u8 }"),
        ("enum A { B, #[cfg(test)] C }", "enum A { B , }"),
        ("match a { #[cfg(test)] A::B(_) => { c } D => e }", "match a { D => e }"),
        ("f { #[cfg(test)] self.a.push(b); c }", "f { c }"),
        ("#[cfg(unix)] fn a() {}", "# [ cfg ( unix ) ] fn a ( ) { }"),
        ("#[cfg(not(test))] a", "# [ cfg ( not ( test ) ) ] a"),
    ] {
        assert_eq!(code(text).replace("= >", "=>"), rest, "{text}");
    }
}

#[test]
fn a_body_below_the_tests_is_read() {
    let text = "#[cfg(test)]\nmod tests;\nuse crate::commands::x;";
    assert_eq!(found("store/mod.rs", text, |house| checks::upward_imports(house, RANKS)), ["store -> commands"]);
}

#[test]
fn rooms_and_their_order() {
    let upward = |path, text| found(path, text, |house| checks::upward_imports(house, RANKS));
    for (path, text) in [
        ("store/a.rs", "use crate::plan::X;"),
        ("store/a.rs", "use crate::{clock, plan::{self, Y}};"),
        ("store/a.rs", "fn f() { crate::plan::x() }"),
        ("store/a.rs", "fn f() { g(&[super::super::plan::X]) }"),
        ("store/mod.rs", "use super::plan::X;"),
        ("store.rs", "pub use crate::plan as p;"),
    ] {
        assert_eq!(upward(path, text), ["store -> plan"], "{text}");
    }
    assert_eq!(upward("audit/mod.rs", "use crate::plan::X;"), ["audit -> plan"]);
    for text in ["use crate::store::X;", "use super::b::X;", "// use crate::commands::x;", "use plan::x;"] {
        assert_eq!(upward("plan/a.rs", text), [""; 0], "{text}");
    }
    assert_eq!(found("attic/a.rs", "", |house| checks::unknown_rooms(house, RANKS)), ["attic"]);
}

#[test]
fn crates_are_told_from_modules_of_the_same_name() {
    let strayed = |text| found("plan/a.rs", text, |house| checks::strayed_crates(house, &[("base64", &["encoding"])]));
    for text in [
        "use base64::encode;",
        "use base64;",
        "use {base64::a, std::b};",
        "fn f() { base64::encode() }",
        "use crate::encoding::pem; fn f() { base64::encode() }",
        "use base64 as b; fn f() { b::encode() }",
    ] {
        assert_eq!(strayed(text), ["base64 in plan/a.rs"], "{text}");
    }
    for text in [
        "use crate::encoding::base64; fn f() { base64::encode() }",
        "use crate::encoding::{pem, base64::encode};",
        "mod base64; fn f() { base64::encode() }",
        "fn f(base64: u8) {}",
        "fn f() { crate::encoding::base64::encode() }",
    ] {
        assert_eq!(strayed(text), [""; 0], "{text}");
    }
    let text = "use base64::encode;";
    assert_eq!(
        found("encoding/a.rs", text, |house| checks::strayed_crates(house, &[("base64", &["encoding"])])),
        [""; 0]
    );
}

const CONNECTIONS: (&str, &[&str]) = ("net::TcpStream", &["live"]);

#[test]
fn edges_of_the_process() {
    let edges: checks::Permitted<'_> =
        &[("std::fs", &["store"]), ("process::exit", &[]), ("now_utc", &["clock"]), ("println!", &[]), CONNECTIONS];
    let strayed = |path, text| found(path, text, |house| checks::strayed_edges(house, edges));
    for (text, name) in [
        ("use std::fs;", "std::fs"),
        ("use std::{fs::File, io};", "std::fs"),
        ("use std::process; fn f() { process::exit(1) }", "process::exit"),
        ("use std::process::{self as p}; fn f() { p::exit(1) }", "process::exit"),
        ("fn f() { time::OffsetDateTime::now_utc() }", "now_utc"),
        ("fn f() { println!(\"x\") }", "println!"),
        ("fn f() { std::println!(\"x\") }", "println!"),
        ("use std::net::TcpStream;", "net::TcpStream"),
        ("use std::net::{IpAddr, TcpStream as S};", "net::TcpStream"),
        ("use std::net; fn f() { net::TcpStream::connect(a) }", "net::TcpStream"),
        ("use std::net::*; fn f() { std::net::TcpStream::connect(a) }", "net::TcpStream"),
    ] {
        assert_eq!(strayed("plan/a.rs", text), [format!("{name} in plan/a.rs")], "{text}");
    }
    assert_eq!(strayed("store/a.rs", "use std::fs;"), [""; 0]);
    assert_eq!(strayed("live/a.rs", "use std::net::TcpStream;"), [""; 0]);
    assert_eq!(strayed("plan/a.rs", "use std::net::{IpAddr, SocketAddr};"), [""; 0]);
    assert_eq!(strayed("plan/a.rs", "fn f() { println != 1 } // println!()"), [""; 0]);
}

#[test]
fn doors() {
    let doors: checks::Permitted<'_> =
        &[("ca::Issuer::new", &["ca/", "commands/sign"]), ("store::Commit", &["store/"])];
    let past = |path, text| found(path, text, |house| checks::past_doors(house, doors));
    for text in [
        "use crate::ca::Issuer; fn f() { Issuer::new(a) }",
        "use crate::ca; fn f() { ca::Issuer::new(a) }",
        "use crate::ca::{Issuer as I}; fn f() { map(I::new) }",
        "use crate::store::Commit;",
        "fn f() { g(crate::store::Commit { a }) }",
    ] {
        assert_eq!(past("plan/a.rs", text), ["plan/a.rs"], "{text}");
    }
    assert_eq!(past("commands/sign/mod.rs", "fn f() { crate::ca::Issuer::new(a) }"), [""; 0]);
    assert_eq!(past("commands/sign.rs", "fn f() { crate::ca::Issuer::new(a) }"), [""; 0]);
    assert_eq!(past("plan/a.rs", "use crate::ca::Issuer; use rcgen as r; fn f() { r::Issuer::new() }"), [""; 0]);
}

#[test]
fn verbs_are_strangers() {
    let house = House::new([
        ("commands/mod.rs", "pub mod a; mod b; pub type Progress = u8;"),
        ("commands/a/mod.rs", "mod c; use super::Progress; use super::b::X; use crate::commands::b;"),
        ("commands/a/c.rs", "use super::super::b::X; use super::Y; pub struct C;"),
        ("commands/b.rs", "pub struct X;"),
    ]);
    assert_eq!(keys(checks::verbs_that_import_verbs(&house)), ["a -> b"]);
}

#[test]
fn lengths() {
    let long = |path: &str, lines: usize| House::new([(path, "\n".repeat(lines).as_str())]);
    assert_eq!(keys(checks::long_verbs(&long("commands/a.rs", 201), 200)), ["commands/a.rs"]);
    assert_eq!(keys(checks::long_verbs(&long("commands/a.rs", 200), 200)), [""; 0]);
    assert_eq!(keys(checks::long_files(&long("plan/a.rs", LONGEST_FILE + 1))), ["plan/a.rs"]);
    assert_eq!(keys(checks::long_files(&long("main.rs", LONGEST_MAIN + 1))), ["main.rs"]);
    let three = [("commands/a.rs", "\n"), ("commands/b.rs", "\n\n\n"), ("commands/c.rs", "\n\n"), ("plan/d.rs", "")];
    assert_eq!(checks::median_of_verbs(&House::new(three)), 2);
}

#[test]
fn circles_of_files() {
    type Sources = &'static [(&'static str, &'static str)];
    let cases: &[(Sources, &[&str])] = &[
        // Between files of one room.
        (
            &[("x/a.rs", "use super::b::B; pub struct A;"), ("x/b.rs", "use super::a::A; pub struct B;")],
            &["x/a.rs", "x/b.rs"],
        ),
        // A file that defines what its child uses, and calls the child.
        (
            &[("x/mod.rs", "mod b; pub struct A; fn f() { b::g() }"), ("x/b.rs", "use super::A; pub fn g() {}")],
            &["x/b.rs", "x/mod.rs"],
        ),
        // The same, where the call is of a re-exported name.
        (
            &[("x/mod.rs", "mod b; pub use b::B; pub struct A(B);"), ("x/b.rs", "pub struct B(super::A);")],
            &["x/b.rs", "x/mod.rs"],
        ),
        // A file that only declares and re-exports makes none.
        (&[("x/mod.rs", "mod a; mod b; pub use a::A;"), ("x/a.rs", "pub struct A;"), ("x/b.rs", "use super::A;")], &[]),
        // Through a re-export of another room, over three files.
        (
            &[
                ("x/mod.rs", "mod a; pub use a::A;"),
                ("x/a.rs", "use crate::z::Z; pub struct A;"),
                ("y.rs", "use crate::x::A; pub struct Y;"),
                ("z.rs", "pub use q::Q; pub struct Z; fn f(_: crate::y::Y) {}"),
                ("w.rs", "use crate::x::A;"),
            ],
            &["x/a.rs", "y.rs", "z.rs"],
        ),
        // Through `*`.
        (
            &[
                ("x/mod.rs", "mod a; pub use a::*;"),
                ("x/a.rs", "use crate::y::Y; pub enum A {}"),
                ("y.rs", "use crate::x::A; pub struct Y;"),
            ],
            &["x/a.rs", "y.rs"],
        ),
        // Through a private import of the parent.
        (
            &[
                ("x/mod.rs", "mod a; use crate::y::Y;"),
                ("x/a.rs", "use super::Y; pub struct A;"),
                ("y.rs", "struct Y; fn f() { crate::x::a::A }"),
            ],
            &["x/a.rs", "y.rs"],
        ),
        // Methods that a child adds to its parent's type.
        (
            &[
                ("x/mod.rs", "mod b; pub struct A; fn f(a: A) { a.g() }"),
                ("x/b.rs", "use super::A; impl A { fn g(&self) {} }"),
            ],
            &["x/b.rs", "x/mod.rs"],
        ),
        (&[("x/mod.rs", "mod b; pub struct A;"), ("x/b.rs", "use super::A; impl A { fn g(&self) {} }")], &[]),
        // In one direction, in tests, and in comments there is none.
        (
            &[
                ("a.rs", "use crate::b::B; pub struct A;"),
                ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
            ],
            &[],
        ),
        (&[("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "/// [`crate::a::A`]\npub struct B;")], &[]),
    ];
    for (sources, wanted) in cases {
        let found = circles(&House::new(sources.iter().copied()));
        assert_eq!(keys(found), *wanted, "{sources:?}");
    }
    let two = [("a.rs", "\nuse crate::b::B; pub struct A;"), ("b.rs", "use crate::a::A; pub struct B;")];
    let text = &circles(&House::new(two))[0].text;
    assert_eq!(text, "circle 1 imports\n    b.rs: line 2, b::B");
}

#[test]
fn a_function_may_have_the_name_of_its_module() {
    let house = House::new([
        ("x/mod.rs", "mod journal; pub use journal::journal;"),
        ("x/journal.rs", "pub fn journal() {}"),
        ("y.rs", "use crate::x; fn f() { x::journal() }"),
    ]);
    let file = &house.files["y.rs"];
    let path = ["x".to_owned(), "journal".to_owned()];
    let Expanded::Ours(path) = house.expand(file, &path) else { panic!() };
    assert_eq!(house.definer(&path).map(|file: &File| file.path.as_str()), Some("x/journal.rs"));
}

#[test]
fn exceptions_excuse_only_what_they_name_and_only_while_it_is_there() {
    let one = || vec![Violation::new("a -> b", "c")];
    assert_eq!(unexcused(one(), &["a -> b"]), [""; 0]);
    assert_eq!(unexcused(one(), &[]), ["\"a -> b\": c"]);
    assert_eq!(unexcused(Vec::new(), &["a -> b"]), ["not needed any more, remove it: \"a -> b\""]);
    assert_eq!(unexcused(one(), &["a -> c"]).len(), 2);
}
