//! What a check of the set-up tells on the terminal: a line for each thing, and why it does not work.

use std::process::ExitCode;

use crate::util::diagnosis::Diagnosis;

/// Prints as the checks go, and counts what did not go well.
#[derive(Debug, Default)]
pub struct Report {
    failures: usize,
    warnings: usize,
}

impl Report {
    /// The outcome of a check that the service does not work without.
    pub fn outcome(&mut self, name: &str, outcome: Result<String, Diagnosis>) {
        match outcome {
            Ok(detail) => pass(name, &detail),
            Err(problem) => self.fail(name, &problem),
        }
    }

    /// The outcome of a check that the service works without.
    pub fn advice(&mut self, name: &str, outcome: Result<String, Diagnosis>) {
        match outcome {
            Ok(detail) => pass(name, &detail),
            Err(problem) => {
                self.warnings += 1;
                explain('!', name, &problem);
            }
        }
    }

    /// What does not work.
    pub fn fail(&mut self, name: &str, problem: &Diagnosis) {
        self.failures += 1;
        explain('✗', name, problem);
    }

    /// A line of its own.
    pub fn say(&self, text: &str) {
        line(text);
    }

    /// The last line, and what the program ends with.
    pub fn conclude(self) -> ExitCode {
        match (self.failures, self.warnings) {
            (0, 0) => line("everything works"),
            (0, warnings) => line(&format!("everything works, with {warnings} to look at (!)")),
            (failures, _) => line(&format!("{failures} failed (✗)")),
        }
        match self.failures {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }
}

fn pass(name: &str, detail: &str) {
    line(format!("✓ {name:<16} {detail}").trim_end());
}

fn explain(mark: char, name: &str, problem: &Diagnosis) {
    line(&format!("{mark} {name:<16} {}", problem.cause));
    line(&format!("{:<18} → {}", "", problem.remedy));
}

#[expect(
    clippy::print_stdout,
    reason = "these lines are for the person at the terminal"
)]
fn line(text: &str) {
    println!("{text}");
}
