//! How certificates are renewed: when, what is kept, and what runs before and after.

use std::collections::BTreeMap;

use super::defaults::{RENEWAL, STATIC_POD_WAIT};
use super::fields::{Field, Fields, Reading};
use super::hooks::{Command, DeployHook, Hooks, OnHookFailure, STATIC_POD};
use super::model::Renewal;
use super::problem::Mismatch;
use super::values;
use crate::catalog::readers::{COMPONENTS, KUBELET};
use crate::encoding::yaml::Value;

pub fn read(fields: &mut Fields<'_>, reading: &mut Reading) -> Renewal {
    let mut section = fields.section("renewal", reading);
    let before = section.value("before", reading, values::threshold);
    let max_age = section.value("maxAge", reading, values::max_age);
    let keep = section.take("keepGenerations", reading).and_then(|field| field.number(reading, 1, 1000));
    let on_hook_failure = |text: &str| values::choice(&OnHookFailure::ALL, OnHookFailure::name, text);
    let on_hook_failure = section.value("onHookFailure", reading, on_hook_failure);
    let hooks = hooks(section.section("hooks", reading), reading);
    section.finish(reading);
    Renewal {
        before: before.unwrap_or(RENEWAL.before),
        max_age,
        keep_generations: keep.and_then(|keep| keep.try_into().ok()).unwrap_or(RENEWAL.keep_generations),
        on_hook_failure: on_hook_failure.unwrap_or(RENEWAL.on_hook_failure),
        hooks,
    }
}

/// pre, deploy, post and timeout.
pub fn hooks(mut fields: Fields<'_>, reading: &mut Reading) -> Hooks {
    let mut one = |key| fields.take(key, reading).and_then(|field| command(&field, reading));
    let (pre, post) = (one("pre"), one("post"));
    let deploy = fields.take("deploy", reading).map(|field| deploy(&field, reading)).unwrap_or_default();
    let timeout = fields.value("timeout", reading, values::duration).unwrap_or(RENEWAL.hooks.timeout);
    fields.finish(reading);
    Hooks { pre, deploy, post, timeout }
}

fn deploy(field: &Field<'_>, reading: &mut Reading) -> BTreeMap<String, DeployHook> {
    let components: Vec<&str> = COMPONENTS.into_iter().chain([Hooks::DEFAULT]).collect();
    let mut hooks = BTreeMap::new();
    for (name, field) in field.named(reading).unwrap_or_default() {
        if !components.contains(&name) {
            reading.problem_at(field.key_mark, &field.path, values::unknown(&components, name));
        } else if let Some(hook) = deploy_hook(name, &field, reading) {
            hooks.insert(name.to_owned(), hook);
        }
    }
    hooks
}

/// A command, or a mapping: a built-in action.
fn deploy_hook(component: &str, field: &Field<'_>, reading: &mut Reading) -> Option<DeployHook> {
    if !matches!(field.node.value, Value::Mapping(_)) {
        return command(field, reading).map(DeployHook::Run);
    }
    let mut fields = field.fields(reading)?;
    let known = |text: &str| match text {
        STATIC_POD => Ok(()),
        other => Err(Mismatch::word(STATIC_POD, other, [STATIC_POD])),
    };
    let wait = fields.value("wait", reading, values::pod_wait).unwrap_or(STATIC_POD_WAIT);
    let restart = fields.take("restart", reading);
    let is_known = restart.as_ref().and_then(|restart| restart.value(reading, known));
    if restart.is_none() {
        reading.missing(&fields.join("restart"), STATIC_POD);
    }
    fields.finish(reading);
    is_known?;
    if component == KUBELET {
        // Its certificates are taken up by itself from some release on, its kubeconfig is not.
        reading.refuse(&field.path, "a command (the kubelet is a service of its node and no static pod)", STATIC_POD);
        return None;
    }
    Some(DeployHook::StaticPod { wait })
}

/// A text for the shell, or a list: a program and its arguments.
fn command(field: &Field<'_>, reading: &mut Reading) -> Option<Command> {
    let words = field.one_or_more(reading, values::word)?;
    let first = words.first().map_or("", String::as_str);
    match &field.node.value {
        Value::Sequence(items) if items.is_empty() => {
            reading.missing(&field.path, "a program and its arguments");
        }
        Value::Sequence(_) if !first.starts_with('/') || first.ends_with('/') => {
            // A word that could not be read has been reported, and is none of the words.
            let why = Mismatch::value("the absolute path of a program", first);
            reading.problem(&format!("{}[0]", field.path), why);
        }
        Value::Sequence(_) => return Some(Command::Program(words)),
        _ if first.trim().is_empty() => reading.missing(&field.path, "a command"),
        _ => return words.into_iter().next().map(Command::Shell),
    }
    None
}
