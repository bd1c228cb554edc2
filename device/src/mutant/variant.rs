use super::Variant;
pub(super) const VARIANTS: &[Variant] = &[];
