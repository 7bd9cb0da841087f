package uifront

import "encoding/json"

// PanelID names the panel to the UI; it is part of the messages between them.
const PanelID = "hookloop"

// panelScript tells the panel which workflow is shown, and lets it keep its session. Over plain
// HTTP the UI does neither for any page (it cannot know who is at the other end), but this one is
// ours.
func panelScript(page string) string {
	if page == "" {
		return ""
	}
	to, _ := json.Marshal(page + "?workflow=") // strings always marshal
	return `{const place=()=>{for(const f of document.querySelectorAll("[data-temporal-extension-id=` + PanelID + `] iframe")){` +
		`const w=f.closest("[data-temporal-workflow-id]")?.dataset.temporalWorkflowId;if(!w)continue;` +
		`const s=` + string(to) + `+encodeURIComponent(w);if(f.dataset.shows===s)continue;` +
		`f.dataset.shows=s;f.sandbox.add("allow-same-origin");f.src=s}};` +
		`new MutationObserver(place).observe(document,{childList:true,subtree:true,attributeFilter:["data-temporal-workflow-id","data-temporal-extension-id"]})}`
}
