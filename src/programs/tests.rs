//! Real processes, short ones.

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::running::TICK;
use super::*;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LONG: Duration = Duration::from_secs(60);

fn with_call<R>(command: &Command, act: impl Fn(&Call<'_>) -> R) -> R {
    let inherited = [("PATH", OsString::from(PATH))];
    let variables = [("KPKI_HOOK", "deploy".to_owned()), ("KPKI_ENTRIES", "apiserver etcd-server".to_owned())];
    act(&Call { command, inherited: &inherited, variables: &variables, timeout: LONG })
}

fn shell(text: &str) -> Outcome {
    with_call(&Command::Shell(text.to_owned()), run)
}

fn program(words: &[&str]) -> Outcome {
    with_call(&Command::Program(words.iter().map(|word| (*word).to_owned()).collect()), run)
}

#[test]
fn the_end_of_a_command_is_reported() {
    for (text, ended, output) in [
        ("echo out; echo err >&2", Ended::Success, "out\nerr"),
        ("exit 7", Ended::Status(7), ""),
        ("printf 'why\\n'; kill -9 $$", Ended::Signal(9), "why"),
        ("no-such-program", Ended::Status(127), "no-such-program"),
        ("cat; echo end", Ended::Success, "end"),
        ("printf 'a\\377b\\033[1m'", Ended::Success, "a\u{fffd}b\u{fffd}[1m"),
        ("exec >&- 2>&-; sleep 0.1; exit 3", Ended::Status(3), ""),
        ("pwd", Ended::Success, "/"),
    ] {
        let outcome = shell(text);
        assert_eq!(outcome.ended, ended, "{text}: {outcome:?}");
        assert!(
            outcome.output.contains(output) && (!output.is_empty() || outcome.output.is_empty()),
            "{text}: {outcome:?}"
        );
    }
}

#[test]
fn a_list_meets_no_shell() {
    assert_eq!(program(&["/bin/echo", "$HOME", "a b", ""]).output, "$HOME a b");
    for (words, why) in [
        (&["/no/such/program"][..], Errno::NOENT),
        (&[], Errno::INVAL),
        (&["/"], Errno::ACCESS),
        (&["/bin/echo", "a\0b"], Errno::INVAL),
    ] {
        assert_eq!(program(words), Outcome { ended: Ended::NotStarted(why), output: String::new() }, "{words:?}");
    }
}

#[test]
fn its_environment_is_known() {
    let outcome = program(&["/usr/bin/env"]);
    let mut lines: Vec<&str> = outcome.output.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["KPKI_ENTRIES=apiserver etcd-server", "KPKI_HOOK=deploy", &format!("PATH={PATH}")]);
}

#[test]
fn much_output_is_read_and_little_of_it_kept() {
    let outcome = shell("head -c 10000000 /dev/zero | tr '\\0' x; printf end");
    assert_eq!((outcome.ended, outcome.output.len()), (Ended::Success, 4096));
    assert!(outcome.output.ends_with("xend"));
}

#[test]
fn a_command_in_the_background_is_not_waited_for() {
    let outcome = shell("sleep 10000 & echo $!");
    assert_eq!(outcome.ended, Ended::Success);
    assert!(is_alive(&outcome.output), "it goes on");
    kill(&outcome.output);
    // One that writes without end.
    let outcome = shell("yes & echo $!; sleep 0.2; echo $! >&2; exit 4");
    assert_eq!(outcome.ended, Ended::Status(4));
    let number = outcome.output.lines().find(|line| line.parse::<u32>().is_ok()).map(str::to_owned);
    if let Some(number) = number {
        kill(&number);
    }
}

/// Lets its time run out when it has written a line.
fn timed_out(text: &str, grace: Duration) -> Outcome {
    with_call(&Command::Shell(text.to_owned()), |call| {
        let mut running = start(call).unwrap();
        running.wait_for_a_line();
        running.finish(Duration::ZERO, grace)
    })
}

#[test]
fn time_runs_out_for_the_whole_group() {
    let short = Duration::from_millis(50);
    for (text, grace) in [
        // It ends by the first signal.
        ("sleep 10000 & echo $$ $!; wait", LONG),
        ("echo $$ $$; while :; do :; done", LONG),
        // It does not.
        ("trap '' TERM; sleep 10000 & echo $$ $!; wait; wait; sleep 10000", short),
        // Its child does not.
        ("(trap '' TERM; exec sleep 10000) & echo $$ $!; wait", LONG),
    ] {
        let outcome = timed_out(text, grace);
        assert_eq!(outcome.ended, Ended::TimedOut, "{text}: {outcome:?}");
        let numbers: Vec<&str> = outcome.output.split_whitespace().collect();
        assert_eq!(numbers.len(), 2, "{text}: {outcome:?}");
        for number in numbers {
            // Killed, and for the kernel to remove.
            let gone = || {
                !is_alive(number) || {
                    std::thread::sleep(TICK);
                    false
                }
            };
            assert!((0..10_000).any(|_| gone()), "{text}: {number} is alive");
        }
    }
}

#[test]
fn it_may_clean_up_when_its_time_is_over() {
    let outcome = timed_out("trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 1; done", LONG);
    // Some shells report the end of the sleep in between.
    assert_eq!(outcome.ended, Ended::TimedOut);
    assert!(outcome.output.starts_with("ready") && outcome.output.ends_with("cleaned"), "{}", outcome.output);
}

/// Whether there is such a process, and it is no zombie that waits for the first process of the machine.
#[allow(clippy::disallowed_methods)]
fn is_alive(number: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X'])))
}

fn kill(number: &str) {
    let pid = number.parse().ok().and_then(Pid::from_raw);
    rustix::process::kill_process(pid.unwrap(), Signal::KILL).unwrap();
}
