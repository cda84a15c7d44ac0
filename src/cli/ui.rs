//! The only writer to stdout and stderr. Results go to stdout, everything about the run to stderr; text from outside is
//! sanitised before it meets a terminal.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::environment::{Environment, Terminal};
use super::values::Color;
use crate::error::{Error, Exit};
use crate::report::fold::folded;
use crate::report::{self, Form, Line, Report, Tone, Width, is_harmless, sanitised};
use crate::workspace::Progress;

/// stdout and stderr, with colour, quiet mode and progress.
pub struct Ui<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    stdout: Terminal,
    stderr: Terminal,
    no_color: bool,
    color: Color,
    quiet: bool,
    /// When the run began, and when its progress was last shown.
    started: Instant,
    shown: Option<Instant>,
}

impl std::fmt::Debug for Ui<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ui").field("color", &self.color).field("quiet", &self.quiet).finish_non_exhaustive()
    }
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const CYAN: &str = "\x1b[1;36m";
const GREEN: &str = "\x1b[1;32m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

impl<'a> Ui<'a> {
    pub fn new(environment: &Environment, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out,
            err,
            stdout: environment.stdout,
            stderr: environment.stderr,
            no_color: environment.no_color,
            color: Color::Auto,
            quiet: false,
            started: Instant::now(),
            shown: None,
        }
    }

    pub fn configure(&mut self, color: Color, quiet: bool) {
        self.color = color;
        self.quiet = quiet;
    }

    /// Ignores `-q` from here on: the following output is shown only once.
    pub fn insist(&mut self) {
        self.quiet = false;
    }

    /// The width of tables; `None`: nobody has said one.
    pub fn width(&self) -> Width {
        self.stdout.width
    }

    fn colored(&self, terminal: Terminal) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal.is_terminal && !self.no_color,
        }
    }

    /// A report in one of its forms; nothing with `-q`. A table's first line is its verdict and stands out.
    pub fn report(&mut self, report: &impl Report, form: Form, now: OffsetDateTime) -> Result<(), Error> {
        let (quiet, width, bold) = (self.quiet, self.width(), self.colored(self.stdout));
        let bold = bold && matches!(form, Form::Table | Form::Wide);
        if quiet { Ok(()) } else { self.stream(bold, |out| report::write(report, form, now, width, out)) }
    }

    /// The report of a run that has changed something, and ended with this status. If it cannot be written, standard
    /// error gets it, and the status tells that from a failure.
    pub fn done(&mut self, report: &impl Report, form: Form, now: OffsetDateTime, exit: Exit) -> Result<Exit, Error> {
        let Err(error) = self.report(report, form, now) else { return Ok(exit) };
        self.told(report, now);
        let exit = if matches!(exit, Exit::Done | Exit::Renewed) { Exit::Unreported } else { exit };
        let error = Error { what: "the report above cannot be written to standard output".to_owned(), ..error };
        Err(Error { exit, ..error })
    }

    /// What was done, on standard error.
    pub fn told(&mut self, report: &impl Report, now: OffsetDateTime) {
        let mut text = Vec::new();
        // Standard error has nowhere to report its own failure.
        let _ = report::write(report, Form::Table, now, None, &mut text);
        let _ = self.err.write_all(sanitise(&String::from_utf8_lossy(&text)).as_bytes());
    }

    /// A result that is written as it is made; nothing with `-q`.
    pub fn output(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        if self.quiet { Ok(()) } else { self.stream(false, write) }
    }

    /// A report line by line, each coloured by its tone; nothing with `-q`.
    pub fn lines(&mut self, lines: &[Line]) -> Result<(), Error> {
        if self.quiet {
            return Ok(());
        }
        let colored = self.colored(self.stdout);
        let mut text = String::new();
        for line in lines {
            let color = match line.tone {
                Tone::Plain => "",
                Tone::Strong => BOLD,
                Tone::Good => GREEN,
                Tone::Warning => YELLOW,
                Tone::Bad => RED,
            };
            let words = sanitise(&line.text);
            if colored && !color.is_empty() {
                text.extend([color, &words, PLAIN, "\n"]);
            } else {
                text.extend([&words, "\n"]);
            }
        }
        self.write_all(text.as_bytes())
    }

    /// Does a work that says how far it is, for people who wait.
    pub fn working<T>(&mut self, work: impl FnOnce(Progress<'_>) -> T) -> T {
        let done = work(&mut |done, total| self.progress(done, total));
        self.end_progress();
        done
    }

    /// How far a run is: on a terminal, after a second, ten times a second at the most.
    fn progress(&mut self, done: usize, total: usize) {
        const PATIENCE: Duration = Duration::from_secs(1);
        const PACE: Duration = Duration::from_millis(100);
        let recently = self.shown.is_some_and(|shown| shown.elapsed() < PACE);
        if self.quiet || !self.stderr.is_terminal || recently || self.started.elapsed() < PATIENCE {
            return;
        }
        self.shown = Some(Instant::now());
        let filled = (done * 20).checked_div(total).unwrap_or(20).min(20);
        let _ = write!(self.err, "\r[{}{}] {done} of {total}", "#".repeat(filled), " ".repeat(20 - filled));
        let _ = self.err.flush();
    }

    /// Takes the progress off the screen again.
    fn end_progress(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(self.err, "\r\x1b[K");
            let _ = self.err.flush();
        }
    }

    /// A document that was asked for: printed whatever the flags.
    pub fn document(&mut self, text: &str) -> Result<(), Error> {
        self.write_all(text.as_bytes())
    }

    /// A result as it is, whatever the flags. A terminal would take binary for commands.
    pub fn bytes(&mut self, bytes: &[u8], binary: bool) -> Result<(), Error> {
        if binary && self.stdout.is_terminal {
            return Err(Error::usage("the result is binary, and standard output is a terminal")
                .hint("give --out FILE, or redirect standard output"));
        }
        let result = self.out.write_all(bytes).and_then(|()| self.out.flush());
        match result {
            // A part of a file is of no use to whoever reads it.
            Err(why) if binary && why.kind() == io::ErrorKind::BrokenPipe => {
                Err(Error::new("cannot write to standard output: its reader has gone before the end").because(why))
            }
            result => written(result),
        }
    }

    /// Something that is shown once and cannot be shown again: printed whatever the flags, on the stream without the
    /// result.
    pub fn notice(&mut self, label: &str, text: &str) {
        self.line(CYAN, label, text);
    }

    /// What happens next, for whoever reads along; nothing with `-q`.
    pub fn remark(&mut self, label: &str, text: &str) {
        if !self.quiet {
            self.line(CYAN, label, text);
        }
    }

    fn stream(&mut self, bold: bool, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let mut out = BufWriter::with_capacity(BUFFER, Sanitiser { out: &mut *self.out, bold, begun: false });
        written(write(&mut out).and_then(|()| out.flush()))
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        written(self.out.write_all(bytes).and_then(|()| self.out.flush()))
    }

    /// The failures of a run whose report is not shown: with `-q` they are the only output of a scheduled job.
    pub fn failures(&mut self, failures: &[String]) {
        if self.quiet {
            for failure in failures {
                self.line(RED, "error", failure);
            }
        }
    }

    /// A warning that is the result of a scheduled job: with `-q`, too.
    pub fn result(&mut self, warning: &str) {
        self.line(YELLOW, "warning", warning);
    }

    pub fn warnings(&mut self, warnings: &[String]) {
        if !self.quiet {
            for warning in warnings {
                self.line(YELLOW, "warning", warning);
            }
        }
    }

    /// `error:`, `caused by:`, `hint:`; returns the exit status that goes with it.
    pub fn error(&mut self, error: &Error) -> Exit {
        self.line(RED, "error", &error.what);
        for why in &error.why {
            self.line(RED, "caused by", why);
        }
        for hint in &error.hints {
            self.line(CYAN, "hint", hint);
        }
        error.exit
    }

    fn line(&mut self, color: &str, label: &str, text: &str) {
        let text = folded(&format!("{label}: {}", sanitise(text)), self.stderr.width);
        let text = text.strip_prefix(label).unwrap_or(&text);
        // Standard error has nowhere to report its own failure.
        let _ = match self.colored(self.stderr) {
            true => writeln!(self.err, "{color}{label}:{PLAIN}{}", text.strip_prefix(':').unwrap_or(text)),
            false => writeln!(self.err, "{label}{text}"),
        };
    }

    /// clap's own messages: help and version are results, everything else is a wrong command line.
    pub fn usage(&mut self, error: &clap::Error) -> Exit {
        let (to_stdout, terminal) = match error.use_stderr() {
            true => (false, self.stderr),
            false => (true, self.stdout),
        };
        let rendered = error.render();
        let text = if self.colored(terminal) { rendered.ansi().to_string() } else { rendered.to_string() };
        let stream: &mut dyn Write = if to_stdout { self.out } else { self.err };
        let _ = stream.write_all(text.as_bytes());
        if to_stdout { Exit::Done } else { Exit::Usage }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }
}

/// A closed pipe is not an error.
fn written(result: io::Result<()>) -> Result<(), Error> {
    match result {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new("cannot write to standard output").because(why))
        }
        _ => Ok(()),
    }
}

const BUFFER: usize = 64 << 10;

/// Between a report and a terminal: [`sanitise`], and optionally the first line in bold. Each write must consist of
/// whole characters; the buffer before it ensures that.
struct Sanitiser<'a> {
    out: &'a mut dyn Write,
    bold: bool,
    begun: bool,
}

impl Write for Sanitiser<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Without a branch for each byte: a fleet's report has tens of millions.
        let is_plain = |byte: u8| (b' '..0x7f).contains(&byte) | (byte == b'\n');
        let harmless = bytes.chunks(64).all(|piece| piece.iter().fold(true, |all, byte| all & is_plain(*byte)));
        let clean = if harmless { None } else { Some(sanitise(&String::from_utf8_lossy(bytes)).into_owned()) };
        let mut rest = clean.as_ref().map_or(bytes, String::as_bytes);
        if self.bold && !self.begun {
            self.begun = true;
            self.out.write_all(BOLD.as_bytes())?;
        }
        if let (true, Some(end)) = (self.bold, rest.iter().position(|byte| *byte == b'\n')) {
            self.bold = false;
            let (line, more) = rest.split_at(end);
            self.out.write_all(line)?;
            self.out.write_all(PLAIN.as_bytes())?;
            rest = more;
        }
        self.out.write_all(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Control characters except line ends become U+FFFD: a subject must not move a cursor. A report without any is not
/// copied.
fn sanitise(text: &str) -> Cow<'_, str> {
    if text.split('\n').all(is_harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(sanitised).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_from_outside_do_not_reach_a_terminal() {
        assert_eq!(sanitise("a\x1b[31mb\r\nc\u{9b}"), "a\u{fffd}[31mb\u{fffd}\nc\u{fffd}");
    }

    #[test]
    fn what_is_written_in_pieces_is_sanitised_and_its_first_line_stands_out() {
        for (bold, start) in [(false, "a\u{fffd}bc\n"), (true, "\x1b[1ma\u{fffd}bc\x1b[0m\n")] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let pieces = |out: &mut dyn Write| {
                out.write_all(b"a\x1bb")?;
                out.write_all(b"c\n")?;
                // Longer than the buffer, and no piece is cut inside a character.
                (0..BUFFER).try_for_each(|_| write!(out, "\u{e4}\u{202e}"))
            };
            Ui::new(&environment(true), &mut out, &mut err).stream(bold, pieces).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), start.to_owned() + &"\u{e4}\u{fffd}".repeat(BUFFER));
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        for (kind, is_failure) in [(io::ErrorKind::BrokenPipe, false), (io::ErrorKind::StorageFull, true)] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let written = Ui::new(&environment(true), &mut out, &mut err).output(|_| Err(kind.into()));
            assert_eq!(written.is_err(), is_failure);
        }
    }

    fn environment(is_terminal: bool) -> Environment {
        let terminal = Terminal { is_terminal, width: None };
        Environment {
            hostname: None,
            no_color: false,
            stdin: terminal,
            stdout: terminal,
            stderr: terminal,
            threads: 1,
            clock: crate::clock::Clock::System,
            inherited: Vec::new(),
            variable: |_| None,
            all: Vec::new,
            prompt: |_, _| Ok(None),
        }
    }

    fn waiting(is_terminal: bool, quiet: bool, patience: u64) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut ui = Ui::new(&environment(is_terminal), &mut out, &mut err);
        ui.quiet = quiet;
        if let Some(earlier) = Instant::now().checked_sub(Duration::from_secs(patience)) {
            ui.started = earlier;
        }
        // The second comes too soon after the first.
        ui.progress(5, 20);
        ui.progress(6, 20);
        ui.end_progress();
        assert!(out.is_empty());
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn progress_is_for_people_who_have_waited() {
        assert_eq!(waiting(true, false, 2), "\r[#####               ] 5 of 20\r\x1b[K");
        for (is_terminal, quiet, patience) in [(false, false, 2), (true, true, 2), (true, false, 0)] {
            assert_eq!(waiting(is_terminal, quiet, patience), "");
        }
    }

    #[test]
    fn binary_never_reaches_a_terminal() {
        for (is_terminal, binary, written) in [(true, true, 0), (true, false, 2), (false, true, 2), (false, false, 2)] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let said = Ui::new(&environment(is_terminal), &mut out, &mut err).bytes(&[0x30, 0], binary);
            assert_eq!((said.is_ok(), out.len()), (written > 0, written), "{is_terminal} {binary}");
        }
    }

    #[test]
    fn lines_are_coloured_by_what_they_say_on_a_terminal_only() {
        let line = |tone| Line { text: "a\x1bb".to_owned(), tone };
        for (is_terminal, tone, shown) in [
            (true, Tone::Bad, "\x1b[1;31ma\u{fffd}b\x1b[0m\n"),
            (true, Tone::Warning, "\x1b[1;33ma\u{fffd}b\x1b[0m\n"),
            (true, Tone::Plain, "a\u{fffd}b\n"),
            (false, Tone::Bad, "a\u{fffd}b\n"),
        ] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            Ui::new(&environment(is_terminal), &mut out, &mut err).lines(&[line(tone)]).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), shown);
        }
    }
}
