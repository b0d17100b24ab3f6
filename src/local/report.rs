//! The output of `llmos doctor`: a line for each check, with cause and remedy if it failed.

use std::process::ExitCode;

use crate::util::diagnosis::Diagnosis;

/// Prints each result at once, and counts failures and warnings.
#[derive(Debug, Default)]
pub struct Report {
    failures: usize,
    warnings: usize,
}

impl Report {
    /// Prints the outcome of a required check.
    pub fn outcome(&mut self, name: &str, outcome: Result<String, Diagnosis>) {
        match outcome {
            Ok(detail) => pass(name, &detail),
            Err(problem) => self.fail(name, &problem),
        }
    }

    /// Prints the outcome of an optional check. A failure counts as a warning.
    pub fn advice(&mut self, name: &str, outcome: Result<String, Diagnosis>) {
        match outcome {
            Ok(detail) => pass(name, &detail),
            Err(problem) => {
                self.warnings += 1;
                explain('!', name, &problem);
            }
        }
    }

    /// Prints the failure of a required check.
    pub fn fail(&mut self, name: &str, problem: &Diagnosis) {
        self.failures += 1;
        explain('✗', name, problem);
    }

    /// Prints a line that is not a check.
    pub fn note(&self, text: &str) {
        line(text);
    }

    /// Prints the summary and returns the exit code: failure if a required check failed.
    pub fn conclude(self) -> ExitCode {
        match (self.failures, self.warnings) {
            (0, 0) => line("everything works"),
            (0, 1) => line("everything works, with 1 warning (!)"),
            (0, warnings) => line(&format!("everything works, with {warnings} warnings (!)")),
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
