//go:build race

package rules_test

// slowdown is how many times longer everything takes under the race detector, about.
const slowdown = 10
