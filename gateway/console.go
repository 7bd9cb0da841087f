package gateway

import (
	"github.com/gin-gonic/gin"

	"hookloop/gateway/auth"
	"hookloop/gateway/console"
)

// consoleRoutes serves the pages for operators. They ask the API below them, as their readers
// could.
func (g *Gateway) consoleRoutes(engine *gin.Engine, c Config) error {
	if c.NoConsole {
		return nil
	}
	pages, err := console.New(console.Config{
		API: engine, Verify: auth.Unconfined(g.auth), Key: g.cursorKey, Version: g.version, UI: c.TemporalUI, Origins: c.UIOrigins, Now: g.now,
	})
	if err != nil {
		return err
	}
	engine.Any(console.Path, gin.WrapH(pages))
	engine.Any(console.Path+"/*path", gin.WrapH(pages))
	return nil
}
