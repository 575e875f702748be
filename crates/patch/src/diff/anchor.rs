//! Lines by which two texts are held together.

use std::collections::HashMap;

/// Pairs of lines that are the same and come only once on each side, in the order of both: as many as there can be.
pub(super) fn anchors(before: &[&[u8]], after: &[&[u8]]) -> Vec<(usize, usize)> {
    let after = once(after);
    let mut pairs: Vec<_> = once(before)
        .into_iter()
        .filter_map(|(line, old)| Some((old?, (*after.get(line)?)?)))
        .collect();
    pairs.sort_unstable();
    longest_ascent(&pairs)
}

/// Where each line is that comes once; none for one that comes more often.
fn once<'a>(lines: &[&'a [u8]]) -> HashMap<&'a [u8], Option<usize>> {
    let mut places = HashMap::new();
    for (number, &line) in lines.iter().enumerate() {
        places.entry(line).and_modify(|place| *place = None).or_insert(Some(number));
    }
    places
}

/// The most pairs whose second halves ascend, as patience sorting finds them.
fn longest_ascent(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair with the least second half that an ascent of that length ends in.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (number, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|&end| pairs[end].1 < pair.1);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(number);
        } else {
            ends[length] = number;
        }
    }
    let mut ascent = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(number) = next {
        ascent.push(pairs[number]);
        next = before[number];
    }
    ascent.reverse();
    ascent
}
