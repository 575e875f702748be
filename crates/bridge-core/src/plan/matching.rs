//! Which step of a plan is which step of the plan before.

use std::collections::BTreeMap;

use super::{KeptStep, StepStatus, WantedStep};

/// Steps on either side that are compared by likeness, after those that say the same have found each other.
const COMPARED: usize = 100;
/// Characters of a step that are compared.
const COMPARED_CHARS: usize = 200;
/// How much alike two steps have to be to be one, of 1000.
const ALIKE: u32 = 500;
/// Steps that say the same, beyond which they are told apart by their order alone.
const MANY: usize = 50;

/// Says for each new step which old one it is: the one that is named, else one with the same text, else the one whose
/// text is most like it. Where several would do, their order decides.
pub(super) fn pair(old: &[KeptStep], new: &[WantedStep]) -> Vec<Option<usize>> {
    let places: BTreeMap<_, _> =
        old.iter().enumerate().map(|(place, step)| (step.id, place)).collect();
    let mut pairs: Vec<Option<usize>> =
        new.iter().map(|step| step.id.and_then(|id| places.get(&id).copied())).collect();
    let mut free = vec![true; old.len()];
    for place in pairs.iter().flatten() {
        free[*place] = false;
    }
    pair_equal(old, new, &mut pairs, &mut free);
    pair_alike(old, new, &mut pairs, &mut free);
    pairs
}

fn pair_equal(
    old: &[KeptStep],
    new: &[WantedStep],
    pairs: &mut [Option<usize>],
    free: &mut [bool],
) {
    let mut by_text: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for place in (0..old.len()).filter(|place| free[*place]) {
        by_text.entry(&old[place].step).or_default().0.push(place);
    }
    for place in (0..new.len()).filter(|place| pairs[*place].is_none()) {
        by_text.entry(&new[place].step).or_default().1.push(place);
    }
    for (olds, news) in by_text.into_values() {
        if olds.len() == news.len() || olds.len().max(news.len()) > MANY {
            for (old, new) in olds.into_iter().zip(news) {
                pairs[new] = Some(old);
                free[old] = false;
            }
            continue;
        }
        // One that is just as far as before is rather the same one.
        let same = |wanted: Option<StepStatus>, old: &KeptStep| wanted == Some(old.status);
        for must_be_as_far in [true, false] {
            for new_place in &news {
                let wanted = &new[*new_place];
                let fits = |place: &&usize| {
                    free[**place] && (!must_be_as_far || same(wanted.status, &old[**place]))
                };
                let nearest =
                    olds.iter().filter(fits).min_by_key(|place| place.abs_diff(*new_place));
                if let (Some(place), None) = (nearest, pairs[*new_place]) {
                    pairs[*new_place] = Some(*place);
                    free[*place] = false;
                }
            }
        }
    }
}

fn pair_alike(
    old: &[KeptStep],
    new: &[WantedStep],
    pairs: &mut [Option<usize>],
    free: &mut [bool],
) {
    let olds: Vec<_> = (0..old.len())
        .filter(|place| free[*place])
        .take(COMPARED)
        .map(|place| (place, Shingles::of(&old[place].step)))
        .collect();
    let news: Vec<_> = (0..new.len())
        .filter(|place| pairs[*place].is_none())
        .take(COMPARED)
        .map(|place| (place, Shingles::of(&new[place].step)))
        .collect();
    let mut candidates: Vec<_> = news
        .iter()
        .flat_map(|new| olds.iter().map(move |old| (new, old)))
        .map(|((new, text), (old, before))| (text.likeness(before), *new, *old))
        .filter(|(likeness, ..)| *likeness >= ALIKE)
        .collect();
    candidates.sort_by_key(|(likeness, new, old)| {
        (std::cmp::Reverse(*likeness), new.abs_diff(*old), *new, *old)
    });
    for (_, new, old) in candidates {
        if pairs[new].is_none() && free[old] {
            pairs[new] = Some(old);
            free[old] = false;
        }
    }
}

/// The pairs of neighbouring letters of a text, sorted.
struct Shingles(Vec<(char, char)>);

impl Shingles {
    fn of(text: &str) -> Self {
        let letters = text.chars().take(COMPARED_CHARS).flat_map(char::to_lowercase);
        let letters: Vec<char> = letters.filter(|letter| letter.is_alphanumeric()).collect();
        let mut pairs: Vec<_> = letters.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    /// How much two texts have in common, of 1000: the coefficient of Sørensen and Dice.
    fn likeness(&self, other: &Self) -> u32 {
        let (mut mine, mut theirs) = (self.0.as_slice(), other.0.as_slice());
        let all = mine.len() + theirs.len();
        let mut common = 0;
        while let (Some(first), Some(second)) = (mine.first(), theirs.first()) {
            common += usize::from(first == second);
            if first <= second {
                mine = &mine[1..];
            }
            if second <= first {
                theirs = &theirs[1..];
            }
        }
        u32::try_from((2000 * common).checked_div(all).unwrap_or_default()).unwrap_or(u32::MAX)
    }
}
