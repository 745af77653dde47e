// Package lifetime ends the processes that tests and measurements start together with the one that started them.
package lifetime
