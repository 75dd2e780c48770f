-- Refuses a body for its size, and lets the client come to know.
--
-- Most clients read nothing before they have sent everything. Were the connection closed
-- on them meanwhile, they would see a broken one instead of the 413. So the body is read
-- and thrown away first; but no more than this, and not for longer:

local MOST_BYTES = 64 * 1024 * 1024
local MOST_SECONDS = 30
local PIECE_BYTES = 16 * 1024

local ENVELOPE = '{"error": "413 Request Entity Too Large", '
    .. '"message": "The body is larger than %s bytes.", '
    .. '"code": "content_too_large", "request_id": "%s"}'

local function swallow(applet)
    local left, deadline = MOST_BYTES, core.now().sec + MOST_SECONDS
    while left > 0 and core.now().sec < deadline do
        local piece = applet:receive(PIECE_BYTES)
        if not piece or #piece == 0 then
            return
        end
        left = left - #piece
    end
end

core.register_service("refuse", "http", function(applet)
    swallow(applet)
    local limit, id = applet:get_var("txn.limit"), applet:get_var("txn.request_id")
    local answer = ENVELOPE:format(limit, id)
    applet:set_status(413)
    applet:add_header("content-type", "application/json")
    applet:add_header("content-length", tostring(#answer))
    applet:start_response()
    applet:send(answer)
end)
