package attribute

import "slices"

// told leaves out what is the caller's to decide, and what the facts say nothing
// of, unless there is nothing else.
func (w *reason) told(f *Facts, parameters map[string]any) Why {
	for _, lesser := range []func(condition) bool{
		func(c condition) bool { return c.callers }, func(c condition) bool { return c.failed },
	} {
		if rest := slices.DeleteFunc(slices.Clone(w.conditions), lesser); len(rest) > 0 {
			w.conditions = rest
		}
	}
	var why Why
	var notThere []string
	for _, c := range w.conditions[:min(len(w.conditions), mostWanted)] {
		why.Wanted = added(why.Wanted, c.text)
		why.Found = added(why.Found, c.came...)
		for _, name := range c.asked {
			why.Asked = added(why.Asked, asked(name, parameters[name])...)
		}
		for _, l := range c.looked {
			if value := l.value(f, parameters); value == (absent{}) {
				notThere = added(notThere, l.found(value))
			} else {
				why.Found = added(why.Found, l.found(value))
			}
		}
	}
	why.Found = append(why.Found, notThere...)
	why.Found = why.Found[:min(len(why.Found), mostFound)]
	return why
}

// asked is how the caller gave a parameter; nothing where nobody did.
func asked(name string, value any) (out []string) {
	switch value := value.(type) {
	case string:
		out = []string{name + "=" + value}
	case map[string]string:
		for _, key := range keysOf(value) {
			out = append(out, name+"."+key+"="+value[key])
		}
	}
	return out
}

func added(list []string, items ...string) []string {
	for _, item := range items {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}
