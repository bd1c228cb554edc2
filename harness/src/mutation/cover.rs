//! Which cases a score rests on.

use std::collections::{BTreeMap, BTreeSet};

/// Which mutants each case kills: index of the case, indices of the mutants.
pub type Kills = BTreeMap<usize, BTreeSet<usize>>;

/// A small set of cases that kills all that `kills` kills, in the order in which each adds most.
///
/// The smallest set there is would take exponential time to find; this one takes at each step the
/// case that kills most of what is left, and then drops what the later ones made needless.
pub fn small_set(kills: &Kills) -> Vec<usize> {
    let mut left: BTreeSet<usize> = kills.values().flatten().copied().collect();
    let mut chosen: Vec<usize> = Vec::new();
    while !left.is_empty() {
        let adds = |of: &BTreeSet<usize>| of.intersection(&left).count();
        // Of equals the first in the suite.
        let best = kills
            .iter()
            .max_by_key(|(at, of)| (adds(of), std::cmp::Reverse(**at)));
        let Some((case, killed)) = best.filter(|(_, of)| adds(of) > 0) else {
            break;
        };
        left.retain(|mutant| !killed.contains(mutant));
        chosen.push(*case);
    }
    for case in chosen.clone() {
        let others: BTreeSet<usize> = chosen
            .iter()
            .filter(|other| **other != case)
            .filter_map(|other| kills.get(other))
            .flatten()
            .copied()
            .collect();
        if kills.get(&case).is_some_and(|of| of.is_subset(&others)) {
            chosen.retain(|one| *one != case);
        }
    }
    chosen
}

/// The cases among the first `count` without which the score would be the same, each taken alone.
pub fn redundant(kills: &Kills, count: usize) -> Vec<usize> {
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for mutant in kills.values().flatten() {
        *times.entry(*mutant).or_default() += 1;
    }
    let needed = |case: &usize| {
        let of = kills.get(case).into_iter().flatten();
        of.clone().any(|mutant| times.get(mutant) == Some(&1))
    };
    (0..count).filter(|case| !needed(case)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kills(of: &[&[usize]]) -> Kills {
        let each = of.iter().enumerate();
        each.map(|(at, of)| (at, of.iter().copied().collect()))
            .collect()
    }

    #[test]
    fn what_others_kill_as_well_is_left_out() {
        let kills = kills(&[&[1], &[1, 2, 3], &[4], &[3, 4]]);
        assert_eq!(small_set(&kills), [1, 2]);
        assert_eq!(redundant(&kills, 5), [0, 2, 3, 4]);
    }

    proptest! {
        #[test]
        fn the_score_stays(matrix in proptest::collection::vec(
            proptest::collection::btree_set(0usize..30, 0..6), 0..20))
        {
            let kills: Kills = matrix.into_iter().enumerate().collect();
            let killed = |cases: &[usize]| -> BTreeSet<usize> {
                cases.iter().flat_map(|case| kills[case].iter().copied()).collect()
            };
            let all: Vec<usize> = kills.keys().copied().collect();
            let chosen = small_set(&kills);
            prop_assert_eq!(killed(&chosen), killed(&all));
            for case in &chosen {
                let without: Vec<usize> = chosen.iter().copied().filter(|one| one != case).collect();
                prop_assert_ne!(killed(&without), killed(&all));
            }
        }
    }
}
