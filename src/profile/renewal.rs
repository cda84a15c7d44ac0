//! How certificates are renewed: when, what is kept, and what runs before and after.

use std::collections::BTreeMap;

use super::configuration::taken;
use super::fields::{Field, Fields, Reading};
use super::options::unknown;
use super::problem::Kind;
use super::{Window, values};
use crate::catalog::ENTRIES;
use crate::clock::Span;
use crate::encoding::yaml::Value;

/// renewal: when a certificate is due, and what happens around its renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Shorter than every lifetime in the profile.
    pub before: Window,
    /// How many earlier generations of a tree are kept: 1 to 1000.
    pub keep_generations: usize,
    pub on_hook_failure: OnHookFailure,
    pub hooks: Hooks,
}

/// What follows when a deploy hook fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHookFailure {
    /// It is said, and the exit status says it, too.
    Report,
    /// The previous generation is put back.
    Restore,
}

impl OnHookFailure {
    pub const ALL: [Self; 2] = [Self::Report, Self::Restore];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Restore => "restore",
        }
    }
}

/// The commands that run when something is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    pub pre: Option<Command>,
    /// By component of the catalogue; [`Hooks::DEFAULT`] stands for every component that is not named.
    pub deploy: BTreeMap<String, Command>,
    pub post: Option<Command>,
    /// Of each of them; never zero.
    pub timeout: Span,
}

/// Free of NUL bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// For `/bin/sh -c`; not blank.
    Shell(String),
    /// An absolute path and its arguments; never empty.
    Program(Vec<String>),
}

impl Hooks {
    /// The name of the deploy hook for every component without one of its own.
    pub const DEFAULT: &str = "default";

    /// What to run when this component's files have changed.
    pub fn deploy(&self, component: &str) -> Option<&Command> {
        self.deploy.get(component).or_else(|| self.deploy.get(Self::DEFAULT))
    }
}

pub const RENEWAL: Renewal = Renewal {
    before: Window::PercentLeft(33),
    keep_generations: 5,
    on_hook_failure: OnHookFailure::Report,
    hooks: Hooks { pre: None, deploy: BTreeMap::new(), post: None, timeout: Span::seconds(300) },
};

pub fn read(fields: &mut Fields<'_>, reading: &mut Reading) -> Renewal {
    let mut section = fields.section("renewal", reading);
    let before = taken(&mut section, "before", reading, values::window);
    let keep = section.take("keepGenerations", reading).and_then(|field| field.number(reading, 1, 1000));
    let on_hook_failure = taken(&mut section, "onHookFailure", reading, |text| {
        let names = OnHookFailure::ALL.map(OnHookFailure::name);
        let found = OnHookFailure::ALL.into_iter().find(|choice| choice.name() == text);
        found.ok_or_else(|| unknown("report or restore", text, names))
    });
    let hooks = hooks(section.section("hooks", reading), reading);
    section.finish(&[], reading);
    Renewal {
        before: before.unwrap_or(RENEWAL.before),
        keep_generations: keep.and_then(|keep| keep.try_into().ok()).unwrap_or(RENEWAL.keep_generations),
        on_hook_failure: on_hook_failure.unwrap_or(RENEWAL.on_hook_failure),
        hooks,
    }
}

fn hooks(mut fields: Fields<'_>, reading: &mut Reading) -> Hooks {
    let mut one = |key| fields.take(key, reading).and_then(|field| command(&field, reading));
    let (pre, post) = (one("pre"), one("post"));
    let deploy = fields.take("deploy", reading).map(|field| deploy(&field, reading)).unwrap_or_default();
    let timeout = taken(&mut fields, "timeout", reading, values::duration).unwrap_or(RENEWAL.hooks.timeout);
    fields.finish(&[], reading);
    Hooks { pre, deploy, post, timeout }
}

fn deploy(field: &Field<'_>, reading: &mut Reading) -> BTreeMap<String, Command> {
    let mut components: Vec<&str> = ENTRIES.iter().flat_map(|entry| entry.components).copied().collect();
    components.sort_unstable();
    components.dedup();
    components.push(Hooks::DEFAULT);
    let mut hooks = BTreeMap::new();
    for (name, field) in field.named(reading).unwrap_or_default() {
        if !components.contains(&name) {
            let expected = format!("one of {}", components.join(", "));
            reading.problem_at(field.key_mark, &field.path, unknown(&expected, name, components.iter().copied()));
        } else if let Some(command) = command(&field, reading) {
            hooks.insert(name.to_owned(), command);
        }
    }
    hooks
}

/// A text for the shell, or a list: a program and its arguments.
fn command(field: &Field<'_>, reading: &mut Reading) -> Option<Command> {
    let words = field.one_or_more(reading, word)?;
    let first = words.first().map_or("", String::as_str);
    match &field.node.value {
        Value::Sequence(items) if items.is_empty() => {
            reading.problem(&field.path, Kind::Missing { expected: "a program and its arguments" });
        }
        Value::Sequence(_) if !first.starts_with('/') || first.ends_with('/') => {
            // A word that could not be read has been reported, and is none of the words.
            let kind = Kind::BadPath { expected: "the absolute path of a program", found: first.to_owned() };
            reading.problem(&format!("{}[0]", field.path), kind);
        }
        Value::Sequence(_) => return Some(Command::Program(words)),
        _ if first.trim().is_empty() => reading.problem(&field.path, Kind::Missing { expected: "a command" }),
        _ => return words.into_iter().next().map(Command::Shell),
    }
    None
}

/// No program can be given a NUL byte.
fn word(text: &str) -> Result<String, Kind> {
    match text.contains('\0') {
        true => Err(Kind::BadText { expected: "a text without NUL", found: text.to_owned() }),
        false => Ok(text.to_owned()),
    }
}
