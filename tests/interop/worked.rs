//! The worked examples of a guide, taken from its text and run as they stand but for their paths.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Ran, program, project, run};

/// Of the environment: where a tool finds its state in a test.
pub type Variable = (&'static str, String);

/// A guide, and where its paths are in a test.
#[derive(Debug)]
pub struct Worked {
    text: String,
    /// What stands for a path or an address of the text; the longest first.
    places: Vec<(&'static str, String)>,
}

impl Worked {
    /// A text of the project as it stands.
    pub fn of(file: &str) -> Self {
        Self { text: fs::read_to_string(project(file)).unwrap(), places: Vec::new() }
    }

    /// Below `examples`, with its scripts installed below `dir`, as its first block says.
    #[track_caller]
    pub fn installed(below: &'static str, dir: &Path) -> Self {
        let source = project("examples").join(below);
        let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
        let places = vec![("/usr/local/lib/kpki", at("lib")), ("/etc/kpki", at("etc"))];
        fs::create_dir_all(dir.join("etc")).unwrap();
        let worked = Self { places, ..Self::of(&format!("examples/{below}/README.md")) };
        let install = worked.block("sh", "install ");
        run(shell(&install).current_dir(source)).expect_ok(&install);
        worked
    }

    /// Another text of the guide that is something else in a test.
    pub fn instead(mut self, text: &'static str, other: impl Into<String>) -> Self {
        assert!(self.text.contains(text), "the guide does not name {text}");
        self.places.push((text, other.into()));
        self
    }

    /// The only block of this language that has this text.
    #[track_caller]
    pub fn block(&self, language: &str, with: &str) -> String {
        let opening = format!("```{language}\n");
        let blocks = self.text.split(&opening).skip(1).filter_map(|rest| rest.split("```").next());
        let found: Vec<&str> = blocks.filter(|block| block.contains(with)).collect();
        let [block] = found.as_slice() else { panic!("{} blocks of {language} have {with}", found.len()) };
        self.places.iter().fold((*block).to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// Runs the only shell block that has this text.
    #[track_caller]
    pub fn sh(&self, with: &str, variables: &[&Variable]) -> Ran {
        self.sh_in(Path::new("/"), with, variables)
    }

    /// The same in this directory.
    #[track_caller]
    pub fn sh_in(&self, dir: &Path, with: &str, variables: &[&Variable]) -> Ran {
        let block = self.block("sh", with);
        let variables = variables.iter().map(|(name, value)| (name, value));
        run(shell(&block).current_dir(dir).envs(variables)).expect_ok(block)
    }

    /// The words of a list in flow style after `key:` in the only profile that has this text.
    #[track_caller]
    pub fn words(&self, key: &str, with: &str) -> Vec<String> {
        let block = self.block("yaml", with);
        let list = block.split(&format!("{key}: [")).nth(1).and_then(|rest| rest.split("]\n").next());
        let list = list.unwrap_or_else(|| panic!("no {key} in {block}"));
        list.split(',').map(|word| word.trim().trim_matches('"').to_owned()).collect()
    }
}

fn shell(text: &str) -> Command {
    let mut command = program("sh");
    command.args(["-e", "-c", text]);
    command
}
