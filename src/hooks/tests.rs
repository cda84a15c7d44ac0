//! Real processes, short ones.

use super::*;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LONG: Duration = Duration::from_secs(60);

fn called(command: Command, timeout: Duration, grace: Duration) -> Outcome {
    let inherited = [("PATH", OsString::from(PATH))];
    let variables = [("KPKI_HOOK", "deploy".to_owned()), ("KPKI_ENTRIES", "apiserver etcd-server".to_owned())];
    let call = Call { command: &command, inherited: &inherited, variables: &variables, timeout };
    run_with_grace(&call, grace)
}

fn shell(text: &str) -> Outcome {
    called(Command::Shell(text.to_owned()), LONG, LONG)
}

fn program(words: &[&str]) -> Outcome {
    called(Command::Program(words.iter().map(|word| (*word).to_owned()).collect()), LONG, LONG)
}

#[test]
fn an_end_is_told_as_it_was() {
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
        assert!(outcome.took < LONG / 2, "{text}: {outcome:?}");
    }
}

#[test]
fn a_list_meets_no_shell() {
    assert_eq!(program(&["/bin/echo", "$HOME", "a b", ""]).output, "$HOME a b");
    for words in [&["/no/such/program"][..], &[], &["/"], &["/bin/echo", "a\0b"]] {
        let outcome = program(words);
        assert!(matches!(&outcome.ended, Ended::NotStarted(why) if !why.is_empty()), "{words:?}: {outcome:?}");
    }
}

#[test]
fn it_knows_what_it_is_told_and_nothing_else() {
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
fn what_goes_on_in_the_background_holds_nobody_up() {
    let outcome = shell("(sleep 30; echo late) & echo $!");
    assert_eq!(outcome.ended, Ended::Success);
    assert!(outcome.took < Duration::from_secs(10), "{outcome:?}");
    assert!(is_alive(&outcome.output), "it is not ours to end");
    kill(&outcome.output);
    // One that writes without end.
    let outcome = shell("yes & echo $!; sleep 0.2; echo $! >&2; exit 4");
    assert_eq!(outcome.ended, Ended::Status(4));
    let number = outcome.output.lines().find(|line| line.parse::<u32>().is_ok()).map(str::to_owned);
    if let Some(number) = number {
        kill(&number);
    }
}

#[test]
fn time_runs_out_for_the_whole_group() {
    let short = Duration::from_millis(300);
    for (text, at_least) in [
        // It ends when it is told to.
        ("sleep 100 & echo $$ $!; wait", short),
        // It does not.
        ("trap '' TERM; sleep 100 & echo $$ $!; wait; wait; sleep 100", 2 * short),
        // Its child does not.
        ("(trap '' TERM; exec sleep 100) & echo $$ $!; wait", short),
        ("echo $$ $$; while :; do :; done", short),
    ] {
        let outcome = called(Command::Shell(text.to_owned()), short, short);
        assert_eq!(outcome.ended, Ended::TimedOut, "{text}: {outcome:?}");
        assert!(outcome.took >= at_least && outcome.took < LONG / 2, "{text}: {outcome:?}");
        let numbers: Vec<&str> = outcome.output.split_whitespace().collect();
        assert_eq!(numbers.len(), 2, "{text}: {outcome:?}");
        for number in numbers {
            let begun = Instant::now();
            while is_alive(number) {
                assert!(begun.elapsed() < Duration::from_secs(5), "{text}: {number} is alive");
                std::thread::sleep(TICK);
            }
        }
    }
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
