-- What stands for a library that no package has? Something that may be loaded and made, but fails by name when it is used.
local function absent(name)
  local made = {
    new = function()
      return absent(name)
    end,
  }
  return setmetatable(made, {
    __index = function(_, key)
      error(name .. "." .. tostring(key) .. ": this library isn't there, so nothing that needs it can be played", 2)
    end,
  })
end

return absent
