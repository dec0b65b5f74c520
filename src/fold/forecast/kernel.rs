//! When followers react: a power law as a sum of exponentials.
//!
//! SEISMIC's density of reaction times is constant up to five minutes and falls as s^-1.2314843 after
//! that. What of it lies after a time s is written as a sum of a e^(-s/b); the a are fitted by
//! non-negative least squares, to 7 % of it from 0 s to 30 days.

/// Weight a and time b, in seconds, of each term; the weights sum to about 1.
pub(super) const DECAYS: [(f64, f64); 9] = [
    (0.203_404_403_933_528_18, 344.837_829_664_222_57),
    (0.209_201_372_631_737_73, 826.697_700_117_539_2),
    (0.047_147_759_618_570_984, 1_981.885_479_458_855_1),
    (0.144_464_457_824_078_19, 4_751.277_347_449_4),
    (0.041_536_632_731_860_43, 11_390.484_789_660_473),
    (0.101_797_129_603_771_14, 27_307.002_796_083_016),
    (0.100_394_768_426_104_07, 156_941.459_647_268_67),
    (0.008_282_845_143_838_771, 376_243.940_143_750_5),
    (0.152_901_671_110_901_58, 5_184_000.0),
];

/// The time over which shares and what they came of are compared, in seconds. None of [`DECAYS`] is equal to it.
pub(super) const HOUR: f64 = 3600.0;

/// What one follower, exposed `age` seconds ago, has added to exposures of the last hour by now.
pub(super) fn exposed_to_hour(age: f64) -> f64 {
    let hour = (-age / HOUR).exp();
    DECAYS.iter().map(|(a, b)| (a / b) * ((-age / b).exp() - hour) / (1.0 / HOUR - 1.0 / b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of SEISMIC's reaction times lies after `s`.
    fn after(s: f64) -> f64 {
        let (c, s0, theta) = (6.265725e-4, 300.0, 0.231_484_3);
        if s <= s0 { 1.0 - c * s } else { c * s0 / theta * f64::powf(s / s0, -theta) }
    }

    #[test]
    fn the_sum_follows_the_power_law() {
        let mut s: f64 = 1.0;
        while s < 30.0 * 86_400.0 {
            let sum: f64 = DECAYS.iter().map(|(a, b)| a * (-s / b).exp()).sum();
            assert!((sum / after(s) - 1.0).abs() < 0.07, "after {s} s: {sum} instead of {}", after(s));
            s *= 1.1;
        }
    }
}
