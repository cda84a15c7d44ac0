//! The words of a command line that is not parsed yet.

use std::ffi::OsString;

/// The only flag of every verb that takes a value.
const WITH_VALUE: &str = "--color";

/// Its words before `--` without the program's name and flags: the verb, then what it is about. The values of a verb's flags are
/// among them.
pub fn words(arguments: &[OsString]) -> Vec<&str> {
    let mut words = Vec::new();
    let mut is_value = false;
    for argument in arguments.iter().skip(1).map_while(|one| one.to_str()).take_while(|one| *one != "--") {
        if !is_value && !argument.starts_with('-') {
            words.push(argument);
        }
        is_value = argument == WITH_VALUE;
    }
    words
}
