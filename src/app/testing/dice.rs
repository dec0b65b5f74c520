//! Chance from a seed: the same numbers in every build and on every machine.

/// A sequence of numbers that look drawn, and are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Of a seed and what it is for: other numbers for every purpose.
    pub fn new(seed: u64, purpose: u64) -> Dice {
        let mut dice = Dice(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.draw();
        dice
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in 0..1, 1 left out.
    pub fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this chance (0..1).
    pub fn hits(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// Seconds until the next of events that come so often a second.
    pub fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.unit()).ln() / rate
    }

    /// Of a bell curve with mean 0 and deviation 1.
    pub fn bell(&mut self) -> f64 {
        let (a, b) = (1.0 - self.unit(), self.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    /// One of several, by their weights; the last where weights are of no use.
    pub fn pick<'w, T>(&mut self, from: &'w [(T, f64)]) -> Option<&'w T> {
        let sum: f64 = from.iter().map(|(_, w)| w).sum();
        let mut at = self.unit() * sum;
        let found = from.iter().find(|(_, w)| {
            at -= w;
            at < 0.0
        });
        found.or(from.last()).map(|(x, _)| x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_fixed_for_ever() {
        let mut dice = Dice::new(7, 1);
        let first = [dice.draw(), dice.draw()];
        let mut again = Dice::new(7, 1);
        assert_eq!(first, [again.draw(), again.draw()]);
        assert!(first != [Dice::new(7, 2).draw(), Dice::new(8, 1).draw()]);
        assert_eq!(Dice(0).draw(), 0xe220_a839_7b1d_cdaf, "splitmix64");
    }

    #[test]
    fn chance_is_as_asked() {
        let mut dice = Dice::new(1, 1);
        let n = 100_000;
        let mean = |f: &mut dyn FnMut() -> f64| (0..n).map(|_| f()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || dice.unit()) - 0.5).abs() < 0.01);
        assert!((mean(&mut || dice.wait(4.0)) - 0.25).abs() < 0.01);
        assert!((mean(&mut || f64::from(u8::from(dice.hits(0.3)))) - 0.3).abs() < 0.01);
        assert!(mean(&mut || dice.bell()).abs() < 0.02);
        assert!((mean(&mut || dice.bell().powi(2)) - 1.0).abs() < 0.02);
        let from = [('a', 3.0), ('b', 1.0)];
        assert!((mean(&mut || f64::from(u8::from(dice.pick(&from) == Some(&'a')))) - 0.75).abs() < 0.01);
        assert_eq!(dice.pick::<u8>(&[]), None);
    }
}
