package events

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/outbox"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// maxAnswer is how much of a receiver's answer is read, in bytes, so that the connection can be used again.
const maxAnswer = 4 << 10

// Webhook sends events to one URL. It is an outbox.Sender.
type Webhook struct {
	URL string
	// Organization is the Copilot, as namespace/name.
	Organization string
	// Secret signs the events. Missing says that it could not be read.
	Secret  []byte
	Missing string
	Client  *http.Client
	Now     func() time.Time
}

var _ outbox.Sender = (*Webhook)(nil)

// body is what is sent.
type body struct {
	Event          string          `json:"event"`
	OrganizationID string          `json:"organization_id"`
	Data           json.RawMessage `json:"data"`
	// Sequence counts the events of one conversation to one webhook from 1. A number that is missing is a dead letter.
	Sequence int64 `json:"sequence"`
}

// Send posts an event, signed as Standard Webhooks 1.0 has it (https://www.standardwebhooks.com). Any 2xx is a receipt.
// 410 says that the receiver is gone for good. The receiver's words are not kept.
func (w *Webhook) Send(ctx context.Context, d store.Delivery) (remote string, err error) {
	if w.Missing != "" {
		return "", fmt.Errorf("it cannot be signed: %s", w.Missing)
	}
	raw, err := json.Marshal(body{Event: d.Kind, OrganizationID: w.Organization, Data: d.Payload, Sequence: d.Seq})
	if err != nil {
		return "", &outbox.Permanent{Err: fmt.Errorf("encode the event: %w", err)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(raw))
	if err != nil {
		return "", &outbox.Permanent{Err: fmt.Errorf("the webhook's url: %w", err)}
	}
	at := w.Now().Unix()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "handoff-operator")
	req.Header.Set("webhook-id", d.Key)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at, 10))
	req.Header.Set("webhook-signature", Sign(w.Secret, d.Key, at, raw))
	resp, err := w.Client.Do(req)
	if err != nil {
		return "", fmt.Errorf("send the event: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return "", receipt(resp)
}

// receipt is nil for an answer that says that the event arrived.
func receipt(resp *http.Response) error {
	if resp.StatusCode/100 == 2 {
		return nil
	}
	err := fmt.Errorf("the receiver answered with status %d", resp.StatusCode)
	switch resp.StatusCode {
	case http.StatusGone:
		return &outbox.Permanent{Err: err}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && seconds > 0 {
			return &outbox.Later{Err: err, After: time.Duration(min(seconds, 86400)) * time.Second}
		}
	}
	return err
}

// withoutURL takes the address out of an error: it may hold a token of the receiver's.
func withoutURL(err error) error {
	if about := (*url.Error)(nil); errors.As(err, &about) {
		return about.Err
	}
	return err
}

// Sign returns the webhook-signature of an event. A secret that begins with whsec_ is the base64 of the key; any other is
// the key itself.
func Sign(secret []byte, id string, at int64, payload []byte) string {
	key := secret
	if encoded, ok := strings.CutPrefix(strings.TrimSpace(string(secret)), "whsec_"); ok {
		if decoded, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			key = decoded
		}
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%d.", id, at)
	_, _ = mac.Write(payload)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// NewClient returns the client that webhooks are sent with. It follows no redirect, and connects to no address that only
// this machine or its cloud has: link-local ones, with the cloud's metadata, and unless loopback is true this pod's own.
// The address that is connected to is checked, whatever a name resolved to before.
func NewClient(loopback bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		return reachable(address, loopback)
	}}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4,
			IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
		},
	}
}

// metadata are addresses of clouds' own services that are not link-local.
var metadata = map[netip.Addr]bool{
	netip.MustParseAddr("fd00:ec2::254"):   true, // AWS
	netip.MustParseAddr("168.63.129.16"):   true, // Azure
	netip.MustParseAddr("100.100.100.200"): true, // Alibaba Cloud
}

// reachable returns an error for an address that no webhook may have.
func reachable(address string, loopback bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback() && loopback:
		return nil
	case ip.IsLoopback(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified(), metadata[ip]:
		return fmt.Errorf("%s is an address of this machine or of its cloud, to which no webhook is sent", ip)
	}
	return nil
}
