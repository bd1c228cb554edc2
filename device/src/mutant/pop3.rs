use super::{Mutant, mutant};
pub(super) const MUTANTS: &[Mutant] = &[];
