//! Stop sequences in a text that arrives in pieces.

/// Cuts a text at the first stop sequence. A piece that may be the start of one waits for the next.
#[derive(Debug)]
pub(crate) struct StopFilter {
    sequences: Vec<String>,
    held: String,
}

impl StopFilter {
    pub(crate) fn new(sequences: Vec<String>) -> Self {
        Self {
            sequences,
            held: String::new(),
        }
    }

    /// Adds a piece. Returns the text that is certain, and true if a stop sequence ended the text.
    pub(crate) fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        let found = self
            .sequences
            .iter()
            .filter_map(|sequence| self.held.find(sequence))
            .min();
        if let Some(index) = found {
            self.held.truncate(index);
            return (std::mem::take(&mut self.held), true);
        }
        let certain = self
            .sequences
            .iter()
            .map(|sequence| self.start_of(sequence))
            .min();
        let rest = self.held.split_off(certain.unwrap_or(self.held.len()));
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// Returns the text that waited, at the end of the answer.
    pub(crate) fn finish(self) -> String {
        self.held
    }

    /// Returns the index of the longest end of the held text with which `sequence` begins.
    fn start_of(&self, sequence: &str) -> usize {
        self.held
            .char_indices()
            .map(|(index, _)| index)
            .find(|index| sequence.starts_with(&self.held[*index..]))
            .unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stop: &[&str], pieces: &[&str]) -> (Vec<String>, bool) {
        let mut filter = StopFilter::new(stop.iter().map(|text| (*text).to_owned()).collect());
        let mut texts = Vec::new();
        for piece in pieces {
            let (text, stopped) = filter.push(piece);
            texts.push(text);
            if stopped {
                return (texts, true);
            }
        }
        texts.push(filter.finish());
        (texts, false)
    }

    #[test]
    fn text_without_stop_sequences_passes() {
        assert_eq!(
            run(&[], &["ab", "c"]),
            (vec!["ab".into(), "c".into(), String::new()], false)
        );
    }

    #[test]
    fn stop_sequence_across_pieces_ends_the_text() {
        assert_eq!(
            run(&["END"], &["aE", "N", "Db"]),
            (vec!["a".into(), String::new(), String::new()], true)
        );
        assert_eq!(
            run(&["é!"], &["xé", "!"]),
            (vec!["x".into(), String::new()], true)
        );
    }

    #[test]
    fn partial_stop_sequence_is_returned_later() {
        assert_eq!(
            run(&["END"], &["aEN", "x"]),
            (vec!["a".into(), "ENx".into(), String::new()], false)
        );
        assert_eq!(
            run(&["END"], &["EN"]),
            (vec![String::new(), "EN".into()], false)
        );
    }

    #[test]
    fn first_of_two_stop_sequences_ends_the_text() {
        assert_eq!(run(&["c", "b"], &["abc"]), (vec!["a".into()], true));
    }
}
