//go:build race

package attestation

// raceEnabled tells that everything takes ten times as long.
const raceEnabled = true
