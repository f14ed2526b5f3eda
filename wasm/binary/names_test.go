package binary

import "testing"

func TestExternNames(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "a-b": true, "a1": true, "A-b": true, "aB": false, "1a": false, "a--b": false, "-a": false, "": false, "a_b": false,
		"a-1": true, "[method]r.f": true, "[static]r.f": true, "[constructor]r": true, "[method]r": false, "[x]r": false, "[method": false,
		"a:b/c": true, "a:b/c@1.2.3": true, "a:b/c@0.2": true, "a:b/c@1.2.3-rc.1+b": true, "a:b/c@1.02.3": false, "a:b/c@": false,
		"a/b": false, "a:b": false, "a:b:c/d@1.0.0": false, "a:b/c/d": false, "a:b/C": true, "A:b/c": false, "a:b/c@1.0.0-": false,
		"a:b/c@1": true, "a:b/c@0.0.3": true, "a:b/c@0.0.0": true, "a:b/c@1.2": false, "a:b/c@0": false, "a:b/c@0.0": false, "a:b/c@01": false,
		"a:b/c@1.0.0-01": false, "a:b/c@1.0.0-0a": true, "a:b/c@1.0.0+01": true, "a:b/c@1.0.0.0": false, "a:b/c@0.2-rc": false,
		"url=<https://x>": false, "unlocked-dep=<a:b>": false, "foo=<x>": false,
	} {
		if got := validExternName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestNamesAreStronglyUnique(t *testing.T) {
	different := []string{"foo", "foo-bar", "[constructor]foo", "[method]foo.bar", "[static]foo.baz", "foo:bar/baz"}
	seen := map[string]string{}
	for _, n := range different {
		if other, ok := seen[StrongName(n)]; ok {
			t.Errorf("%q collides with %q", n, other)
		}
		seen[StrongName(n)] = n
	}
	for _, n := range []string{"FOO", "foo-BAR", "[constructor]FOO", "[method]foo.BAR", "[static]foo.bar", "[method]foo.foo", "[static]foo-BAR.FOO-bar", "foo:bar/BAZ"} {
		if _, ok := seen[StrongName(n)]; !ok {
			t.Errorf("%q collides with nothing", n)
		}
	}
}
