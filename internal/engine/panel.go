package engine

import (
	"encoding/json"
	"net/url"

	uiconfig "github.com/temporalio/ui-server/v2/server/config"
)

// panelID names the panel to the UI; it is part of the messages between them.
const panelID = "hookloop"

// panelUI has the UI show a page below the details of each workflow, where it takes 360 pixels
// until it says how many it needs.
func panelUI(page string) uiconfig.CustomUI {
	u, err := url.Parse(page)
	if page == "" || err != nil {
		return uiconfig.CustomUI{}
	}
	return uiconfig.CustomUI{Enabled: true, IframeExtensions: []uiconfig.IframeExtension{{
		ID: panelID, Title: "Hookloop", Slot: "workflow.header.after-details", Src: page, AllowedOrigin: u.Scheme + "://" + u.Host,
		RoutePatterns: []string{"/namespaces/:namespace/workflows/:workflow/*"},
		Sandbox:       uiconfig.IframeSandbox{AllowForms: true, AllowPopups: true, AllowSameOrigin: true},
		Sizing:        uiconfig.IframeExtensionSizing{DefaultHeight: 360},
	}}}
}

// panelScript tells the panel which workflow is shown, and lets it keep its session. Over plain
// HTTP the UI does neither for any page (it cannot know who is at the other end), but this one is
// on the same machine, and ours.
func panelScript(page string) string {
	if page == "" {
		return ""
	}
	to, _ := json.Marshal(page + "?workflow=") // strings always marshal
	return `{const place=()=>{for(const f of document.querySelectorAll("[data-temporal-extension-id=` + panelID + `] iframe")){` +
		`const w=f.closest("[data-temporal-workflow-id]")?.dataset.temporalWorkflowId;if(!w)continue;` +
		`const s=` + string(to) + `+encodeURIComponent(w);if(f.dataset.shows===s)continue;` +
		`f.dataset.shows=s;f.sandbox.add("allow-same-origin");f.src=s}};` +
		`new MutationObserver(place).observe(document,{childList:true,subtree:true,attributeFilter:["data-temporal-workflow-id","data-temporal-extension-id"]})}`
}
