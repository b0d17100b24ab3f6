//! The `.env` files that may set variables on a development machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::variable::VARIABLES;

/// The files, in the order of Vercel and Next.js for development. The first one that sets a variable wins.
const FILES: [&str; 4] = [
    ".env.development.local",
    ".env.local",
    ".env.development",
    ".env",
];

/// A file that cannot be read. The text contains no value, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum DotenvError {
    /// A line is not `NAME=value`.
    #[error(
        "cannot read {0}: a line is not NAME=value: put a value that contains spaces, $ or # in single quotes"
    )]
    Line(String),
    /// The file exists and cannot be read.
    #[error("cannot read {0}: {1}: correct its permissions and its encoding (UTF-8), or remove it")]
    File(String, io::Error),
}

/// The files that set variables of the process. Variables that no file set come from the environment.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The name of the file, by variable.
    files: BTreeMap<String, String>,
    /// `HOST` in the first file that has it, even if the environment has another one.
    pub(super) host_in_file: Option<String>,
}

impl Sources {
    /// Returns whether a file set the variable.
    pub fn is_from_file(&self, variable: &str) -> bool {
        self.files.contains_key(variable)
    }

    /// Returns the source of each variable of this service that is set: "the environment" or a file, and the names of
    /// its variables. The environment comes first, then the files in their order.
    pub fn describe(&self) -> Vec<(String, Vec<&'static str>)> {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let names = VARIABLES.iter().map(|(name, _)| *name);
        let mut sources: Vec<(String, Vec<&'static str>)> = Vec::new();
        for name in names.filter(|name| is_set(name)) {
            let source = self.files.get(name).map_or("the environment", |file| file);
            match sources.iter_mut().find(|(other, _)| other == source) {
                Some((_, names)) => names.push(name),
                None => sources.push((source.to_owned(), vec![name])),
            }
        }
        let position = |source: &str| FILES.iter().position(|file| source.ends_with(file));
        sources.sort_by_key(|(source, _)| position(source));
        sources
    }

    #[cfg(test)]
    pub(super) fn set_from_file(&mut self, variable: &str, file: &str) {
        self.files.insert(variable.to_owned(), file.to_owned());
    }

    /// Loads the variables of a file that are not set yet.
    fn load(&mut self, folder: &Path, file: &str) -> Result<(), DotenvError> {
        let path = folder.join(file);
        let name = path
            .strip_prefix(".")
            .unwrap_or(&path)
            .display()
            .to_string();
        if !path.is_file() {
            return Ok(());
        }
        let text =
            fs::read_to_string(&path).map_err(|error| DotenvError::File(name.clone(), error))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let is_malformed = |_| DotenvError::Line(name.clone());
        for variable in dotenvy::from_read_iter(text.as_bytes()) {
            let (variable, value) = variable.map_err(is_malformed)?;
            if variable == "HOST" && self.host_in_file.is_none() {
                self.host_in_file = Some(value);
            }
            if env::var_os(&variable).is_none() {
                self.files.insert(variable, name.clone());
            }
        }
        dotenvy::from_read(text.as_bytes()).map_err(is_malformed)
    }
}

/// Loads the `.env` files from the working directory, or from the closest folder above it that has any. Variables that
/// are already set keep their value.
///
/// # Errors
/// If a file is unreadable or malformed.
pub fn load_dotenv() -> Result<Sources, DotenvError> {
    let mut sources = Sources::default();
    let Some(folder) = find_folder() else {
        return Ok(sources);
    };
    for file in FILES {
        sources.load(&folder, file)?;
    }
    Ok(sources)
}

fn find_folder() -> Option<PathBuf> {
    let has_file = |folder: &Path| FILES.iter().any(|file| folder.join(file).is_file());
    let here = PathBuf::from(".");
    if has_file(&here) {
        return Some(here);
    }
    let current = env::current_dir().ok()?;
    let above = current.ancestors().skip(1);
    above.map(Path::to_path_buf).find(|folder| has_file(folder))
}
