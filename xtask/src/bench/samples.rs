//! Measured values of one kind, and what can be said of them without assuming how they are spread.

use std::time::Duration;

/// At least one value.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    /// In the order in which they were taken.
    taken: Vec<f64>,
    sorted: Vec<f64>,
}

impl Samples {
    /// # Panics
    /// When there is none, or one is not a number.
    pub(super) fn new(taken: Vec<f64>) -> Self {
        assert!(!taken.is_empty(), "nothing was measured");
        let mut sorted = taken.clone();
        sorted.sort_by(|a, b| a.partial_cmp(b).expect("measured values are numbers"));
        Self { taken, sorted }
    }

    /// Durations in milliseconds.
    pub(super) fn of_times(times: &[Duration]) -> Self {
        Self::new(times.iter().map(|time| time.as_secs_f64() * 1000.0).collect())
    }

    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn min(&self) -> f64 {
        self.sorted[0]
    }

    pub(super) fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    pub(super) fn median(&self) -> f64 {
        let middle = self.sorted.len() / 2;
        if self.sorted.len().is_multiple_of(2) {
            f64::midpoint(self.sorted[middle - 1], self.sorted[middle])
        } else {
            self.sorted[middle]
        }
    }

    /// The value that 99 of 100 do not exceed.
    pub(super) fn p99(&self) -> f64 {
        let rank = (self.sorted.len() * 99).div_ceil(100);
        self.sorted[rank - 1]
    }

    /// The differences to values that were taken in turns with these.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let pairs = self.taken.iter().zip(&other.taken);
        Self::new(pairs.map(|(ours, theirs)| ours - theirs).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_counted_from_the_smallest() {
        let samples = Samples::new((1..=200).rev().map(f64::from).collect());
        assert_eq!(
            [samples.min(), samples.median(), samples.p99(), samples.max()],
            [1.0, 100.5, 198.0, 200.0]
        );
        let one = Samples::new(vec![7.0]);
        assert_eq!([one.min(), one.median(), one.p99()], [7.0; 3]);
    }

    #[test]
    fn differences_are_taken_pair_by_pair() {
        let difference = Samples::new(vec![5.0, 1.0]).minus(&Samples::new(vec![1.0, 2.0]));
        assert_eq!((difference.min(), difference.max()), (-1.0, 4.0));
    }
}
