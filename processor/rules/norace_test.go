//go:build !race

package rules_test

// slowdown is how many times longer everything takes without the race detector.
const slowdown = 1
