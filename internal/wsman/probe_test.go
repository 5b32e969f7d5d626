package wsman_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cau/internal/wsman"
)

// listener offers what a Windows listener offers, and answers an unauthenticated Identify.
func listener(heard *[]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*heard = append(*heard, r.Header.Get("Authorization")+"|"+string(body))
		if r.Header.Get("WSMANIDENTIFY") == "unauthenticated" {
			_, _ = io.WriteString(w, `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>`+
				`<i:IdentifyResponse xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">`+
				"<i:ProductVendor>Microsoft Corporation</i:ProductVendor><i:ProductVersion>OS: 10.0</i:ProductVersion>"+
				`</i:IdentifyResponse></s:Body></s:Envelope>`)
			return
		}
		w.Header().Add("WWW-Authenticate", "Negotiate")
		w.Header().Add("WWW-Authenticate", "Kerberos")
		w.Header().Add("WWW-Authenticate", `Basic realm="WSMAN"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
}

func TestALookShowsWhatAListenerOffersAndTellsItNothing(t *testing.T) {
	t.Parallel()
	var heard []string
	server := httptest.NewServer(listener(&heard))
	defer server.Close()
	p, err := wsman.Look(t.Context(), wsman.Config{Addr: strings.TrimPrefix(server.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Offered, " "); got != "Negotiate Kerberos Basic" {
		t.Errorf("offered: %q", got)
	}
	if p.Product != "Microsoft Corporation OS: 10.0" {
		t.Errorf("product: %q", p.Product)
	}
	if p.Remote == "" || p.Certificate != nil || p.TLS != "" {
		t.Errorf("connection: %+v", p)
	}
	for _, h := range heard {
		if !strings.HasPrefix(h, "|") {
			t.Errorf("R03: something was proven to the listener: %q", h)
		}
	}
}

func TestALookSaysWhyACertificateIsNotTrusted(t *testing.T) {
	t.Parallel()
	var heard []string
	server := httptest.NewTLSServer(listener(&heard))
	defer server.Close()
	strict := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	strict.RootCAs = nil
	p, err := wsman.Look(t.Context(), wsman.Config{Addr: strings.TrimPrefix(server.URL, "https://"), TLS: strict})
	if err != nil {
		t.Fatal(err)
	}
	if p.Certificate == nil || p.Certificate.Problem == nil || len(p.Certificate.SPKI) != 64 {
		t.Fatalf("certificate: %+v", p.Certificate)
	}
	trusting := server.Client().Transport.(*http.Transport).TLSClientConfig
	p, err = wsman.Look(t.Context(), wsman.Config{Addr: strings.TrimPrefix(server.URL, "https://"), TLS: trusting})
	if err != nil || p.Certificate == nil || p.Certificate.Problem != nil {
		t.Fatalf("its own authority: %v, %+v", err, p.Certificate)
	}
}

func TestALookAtSomethingThatIsNoWinRMSaysSo(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := wsman.Look(t.Context(), wsman.Config{Addr: strings.TrimPrefix(server.URL, "http://")})
	if err == nil || wsman.Hint(err) == "" {
		t.Fatalf("error: %v", err)
	}
}
