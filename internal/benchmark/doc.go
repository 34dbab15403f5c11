// Package benchmark measures functions on the local Lambda: their packages, cold starts, warm invocations, processor time and memory.
//
// What belongs here: running the measurements, what is made of the numbers (percentiles, intervals, comparisons, gates, an estimate of
// cost), baselines, and pictures. What does not: building (internal/build), running functions and measuring one invocation
// (internal/local), and printing.
//
// How a comparison stays right on a machine that is not idle: a baseline holds the program and not only its figures. Both programs are
// run again in turns, each round in random order, and only the two figures of one round are compared with each other. What slows the
// machine down slows both. The interval of the median of these ratios needs no assumption about how the noise is distributed.
package benchmark
