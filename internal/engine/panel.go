package engine

import (
	"net/url"

	uiconfig "github.com/temporalio/ui-server/v2/server/config"

	"hookloop/internal/uifront"
)

// panelUI has the UI show a page below the details of each workflow, where it takes 360 pixels
// until it says how many it needs.
func panelUI(page string) uiconfig.CustomUI {
	u, err := url.Parse(page)
	if page == "" || err != nil {
		return uiconfig.CustomUI{}
	}
	return uiconfig.CustomUI{Enabled: true, IframeExtensions: []uiconfig.IframeExtension{{
		ID: uifront.PanelID, Title: "Hookloop", Slot: "workflow.header.after-details", Src: page, AllowedOrigin: u.Scheme + "://" + u.Host,
		RoutePatterns: []string{"/namespaces/:namespace/workflows/:workflow/*"},
		Sandbox:       uiconfig.IframeSandbox{AllowForms: true, AllowPopups: true, AllowSameOrigin: true},
		Sizing:        uiconfig.IframeExtensionSizing{DefaultHeight: 360},
	}}}
}
