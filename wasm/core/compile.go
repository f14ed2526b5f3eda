package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tetratelabs/wazero"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/rewrite"
)

// Code is a rewritten, validated, compiled module. Equal modules share one; it is safe for
// concurrent use.
type Code struct {
	compiled wazero.CompiledModule
	facts    rewrite.Facts
	close    func(context.Context) error
}

// compiling is a compilation and its result, which any number of callers wait for and share.
type compiling struct {
	done  chan struct{}
	code  *Code
	err   error
	users int
}

// Compile rewrites and compiles a module; imports has one entry per import, in order. Equal
// modules with equal imports are compiled once, whoever asks. A compilation that has begun is
// not interrupted; ctx ends waiting for somebody else's. An ill-typed module is fault.Invalid.
// Code that is not closed is freed with the engine.
func (e *Engine) Compile(ctx context.Context, m *rewrite.Module, imports []rewrite.Rename) (*Code, error) {
	const op = "compile core module"
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(op, err)
	}
	src, err := m.Rewrite(imports)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(src)
	key := hex.EncodeToString(sum[:])
	c, first := e.join(key)
	if first {
		if c.code, c.err = e.compile(ctx, m, src, key); c.err == nil {
			c.code.close = func(ctx context.Context) error { return e.leave(ctx, key, c) }
		}
		close(c.done)
	}
	select {
	case <-c.done:
		err = c.err
	case <-ctx.Done():
		err = fault.Wrap(op, ctx.Err())
	}
	if err != nil {
		_ = e.leave(ctx, key, c) // there is nothing to free, or others use it
		return nil, err
	}
	return c.code, nil
}

// Close gives up one share of the code, which Compile gave; the last one frees it. Instances
// that live keep what they need.
func (c *Code) Close(ctx context.Context) error { return c.close(ctx) }

// join finds or makes the compilation of key; first says that the caller must do it.
func (e *Engine) join(key string) (c *compiling, first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, found := e.compilings[key]
	if !found {
		c = &compiling{done: make(chan struct{})}
		e.compilings[key] = c
	}
	c.users++
	return c, !found
}

// leave gives up a share; the last one frees the code.
func (e *Engine) leave(ctx context.Context, key string, c *compiling) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.users--; c.users > 0 {
		return nil
	}
	delete(e.compilings, key)
	if c.code == nil {
		return nil
	}
	return fault.Wrap("core module", c.code.compiled.Close(ctx))
}

// compile hands the rewritten module to wazero, on this goroutine only: should its compiler
// fail on a strange module, that must end this compilation and not the process.
func (e *Engine) compile(ctx context.Context, m *rewrite.Module, src []byte, key string) (code *Code, err error) {
	do := func() (c wazero.CompiledModule, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fault.Newf(fault.Unsupported, "core module", "the engine cannot compile it: %v", p)
			}
		}()
		c, err = e.runtime.CompileModule(ctx, src)
		return c, fault.As(fault.Invalid, "core module", err)
	}
	var compiled wazero.CompiledModule
	if e.cache == nil {
		compiled, err = do()
	} else {
		compiled, err = e.cache.compile(key, do)
	}
	if err != nil {
		return nil, err
	}
	return &Code{compiled: compiled, facts: m.Facts()}, nil
}
