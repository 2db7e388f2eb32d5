package sandbox_test

import (
	"context"
	"testing"

	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/signatus-dev/signatus/internal/sandbox/roundtrip"
)

// What a signature costs that sigstore-go makes here: token, key, Fulcio,
// timestamp and Rekor.
func BenchmarkSign(b *testing.B) {
	for name, version := range map[string]uint32{"rekor1": 1, "rekor2": 2} {
		s, err := sandbox.Start(sandbox.Config{})
		if err != nil {
			b.Fatal(err)
		}
		one := func() error {
			token, err := s.Token(sandbox.TokenRequest{Kind: sandbox.GitHub})
			if err != nil {
				return err
			}
			_, err = roundtrip.Sign(context.Background(), roundtrip.Request{
				SigningConfig: s.SigningConfig(), Token: token, RekorVersion: version,
			})
			return err
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := one(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.SetParallelism(25) // fifty on two processors
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := one(); err != nil {
						b.Error(err)
					}
				}
			})
		})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// What a start costs.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := sandbox.Start(sandbox.Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
