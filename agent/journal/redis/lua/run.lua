-- ARGV: a command and what it is about.
local command = commands[ARGV[1]]
if not command then
    return redis.error_reply('unknown command ' .. ARGV[1])
end
return command(unpack(ARGV, 2))
