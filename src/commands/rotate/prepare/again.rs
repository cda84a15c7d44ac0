//! The command that asks for the preparation again.

use super::super::context::Context;
use super::super::request::PrepareOptions;
use crate::tree::rotation::Rotating;

/// The same command again, with more options.
pub(super) fn again(context: &Context<'_>, options: &PrepareOptions, more: &[&str]) -> String {
    let names: Vec<&str> = match context.request.authorities == Rotating::ALL {
        true => vec!["all"],
        false => context.request.authorities.iter().map(|one| one.name()).collect(),
    };
    command(context, options, &names, more)
}

/// The command for one of them.
pub(super) fn one(context: &Context<'_>, options: &PrepareOptions, rotating: Rotating) -> String {
    command(context, options, &[rotating.name()], &[])
}

fn command(context: &Context<'_>, options: &PrepareOptions, names: &[&str], more: &[&str]) -> String {
    let text = |path: &std::path::Path| path.display().to_string();
    let mut words: Vec<String> = Vec::new();
    let mut option =
        |name: &str, value: Option<String>| words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    option("--new-ca", options.new_ca.as_deref().map(text));
    option("--new-key", options.new_key.as_deref().map(text));
    option("--algorithm", options.algorithm.map(|algorithm| algorithm.to_string()));
    option("--validity", options.validity.map(|validity| validity.to_string()));
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .chain(options.keep_subject.then_some("--keep-subject"))
        .chain(more.iter().copied())
        .collect();
    context.session.target.origin.command("rotate prepare", names, &words)
}
