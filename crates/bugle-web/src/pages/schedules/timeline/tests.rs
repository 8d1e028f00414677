//! The timeline draws what is known, to scale.

use super::*;

#[test]
fn names_are_shortened_to_what_fits() {
    assert_eq!(words("Lena Kovač", 200.0), "Lena K.");
    assert_eq!(words("Lena Kovač", 50.0), "LK");
    assert_eq!(words("Lena Kovač", 10.0), "");
    assert_eq!(words("Prince", 200.0), "Prince");
}
