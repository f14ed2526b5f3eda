package messaging

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"greentic.dev/greentic"
)

// Stream timing: a ping keeps proxies from closing an idle stream and finds dead clients.
const (
	pingEvery    = 20 * time.Second
	writeTimeout = 10 * time.Second
)

// stream sends activities over a WebSocket as they are stored, each frame an activity set with
// its watermark (Direct Line 3.0, "Receive activities"). It ends when the client leaves or the
// server closes; the client then reconnects with its watermark and misses nothing.
func (w *WebChat) stream(rw http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error) {
	g, err := w.authorise(r, &tenant, r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	if err := w.transcript.join(tenant, g.Conversation); err != nil {
		return 0, nil, err
	}
	defer w.transcript.leave(tenant, g.Conversation)
	watermark := r.URL.Query().Get("watermark")
	first, err := w.transcript.since(r.Context(), tenant, g.Conversation, watermark)
	if err != nil {
		return 0, nil, err
	}
	// The token is the credential; cookies play no part, so any origin may connect.
	conn, err := websocket.Accept(rw, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return 0, nil, nil // Accept has answered
	}
	ctx, gone := context.WithCancel(r.Context())
	var reader sync.WaitGroup
	reader.Go(func() {
		defer gone()
		discard(ctx, conn)
	})
	w.follow(ctx, conn, tenant, g.Conversation, first)
	conn.CloseNow()
	reader.Wait()
	return 0, nil, nil
}

// discard reads what the client sends, keep-alives of no meaning, until it leaves.
func discard(ctx context.Context, conn *websocket.Conn) {
	conn.SetReadLimit(4 << 10)
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			return
		}
	}
}

func (w *WebChat) follow(ctx context.Context, conn *websocket.Conn, tenant greentic.TenantCtx, id string, p page) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		changed := w.transcript.watch(tenant, id)
		var err error
		if len(p.Activities) == 0 {
			if p, err = w.transcript.since(ctx, tenant, id, p.Watermark); err != nil {
				return
			}
		}
		if len(p.Activities) > 0 {
			if writeFrame(ctx, conn, p) != nil {
				return
			}
			p.Activities = nil
			continue
		}
		select {
		case <-changed:
		case <-ping.C:
			pctx, cancel := context.WithTimeout(ctx, writeTimeout)
			err := conn.Ping(pctx)
			cancel()
			if err != nil {
				return
			}
		case <-w.quit:
			conn.Close(websocket.StatusGoingAway, "the server is restarting")
			return
		case <-ctx.Done():
			return
		}
	}
}

func writeFrame(ctx context.Context, conn *websocket.Conn, p page) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, raw)
}
