package vsa

import (
	"fmt"
	"strconv"
	"strings"
)

// CheckLevels holds levels to the specification's form: a level of a SLSA track, or
// a value of somebody's own.
//
// "Users MAY use custom values here but MUST NOT use custom values starting with
// SLSA_." And: "the highest level of each track", so that no track is there twice.
// (TestCheckLevels)
func CheckLevels(levels []string) error {
	if len(levels) > MaxLevels {
		return fmt.Errorf("%d levels, at most %d are taken", len(levels), MaxLevels)
	}
	seen := map[string]string{}
	for _, level := range levels {
		if err := checkLevel(level); err != nil {
			return err
		}
		key := level
		if track, _, ok := trackOf(level); ok {
			key = "track " + track
		}
		if other, twice := seen[key]; twice {
			return fmt.Errorf("%s and %s are of one track, of which the highest level is named", other, level)
		}
		seen[key] = level
	}
	return nil
}

// highest is the highest level of each SLSA track.
func highest() map[string]int { return map[string]int{"BUILD": 3, "SOURCE": 4} }

func checkLevel(level string) error {
	own := strings.Trim(level, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
	switch {
	case level == "" || len(level) > maxText || !own:
		return fmt.Errorf("the level %.200q has characters other than letters, digits, underscore, hyphen and dot", level)
	case level == Failed || level == Passed:
		return fmt.Errorf("%s is a result and no level", level)
	case !strings.HasPrefix(strings.ToUpper(level), "SLSA_"):
		return nil
	}
	track, n, ok := trackOf(level)
	if most, known := highest()[track]; !ok || !known || n > most {
		return fmt.Errorf("%s is no level of SLSA: they are SLSA_BUILD_LEVEL_0 to _3 and SLSA_SOURCE_LEVEL_1 to _4, and values of one's own do not begin with SLSA_", level)
	}
	return nil
}

// trackOf splits SLSA_BUILD_LEVEL_3 into BUILD and 3.
func trackOf(level string) (track string, n int, ok bool) {
	rest, ok := strings.CutPrefix(level, "SLSA_")
	if !ok {
		return "", 0, false
	}
	track, number, ok := strings.Cut(rest, "_LEVEL_")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || strconv.Itoa(n) != number || track == "SOURCE" && n == 0 {
		return "", 0, false
	}
	return track, n, n >= 0
}

// Covers reports whether the levels that a summary states include the one that is
// demanded. "Each SLSA level implies the levels below it in the same track."
func Covers(stated []string, demanded string) bool {
	track, least, ok := trackOf(demanded)
	for _, level := range stated {
		if level == demanded {
			return true
		}
		if other, n, slsa := trackOf(level); ok && slsa && other == track && n >= least && checkLevel(level) == nil {
			return true
		}
	}
	return false
}
