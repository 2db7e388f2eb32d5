// Package intotopeer compares Signatus with in-toto-golang on classic in-toto
// layouts: on real cases, and on generated ones. Where the two disagree it says
// who is right, and by which sentence of the specification.
//
// It is a module of its own, so that the peer stays out of the product's go.mod,
// and nothing imports it.
package intotopeer
