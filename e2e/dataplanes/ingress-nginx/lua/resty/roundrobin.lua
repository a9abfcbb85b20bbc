-- Which endpoint comes next? Each as often as its weight says, in turn; where the turns start is chance, so that
-- workers of nginx that hear of the same endpoints don't begin with the same one.
local RoundRobin = {}
RoundRobin.__index = RoundRobin

function RoundRobin.new(_, nodes)
  return setmetatable({}, RoundRobin):reinit(nodes)
end

function RoundRobin.reinit(self, nodes)
  self.nodes, self.turns = {}, {}
  for id, weight in pairs(nodes) do
    self.nodes[id] = weight
    for _ = 1, weight do
      self.turns[#self.turns + 1] = id
    end
  end
  self.turn = math.random(math.max(#self.turns, 1))
  return self
end

function RoundRobin.find(self)
  self.turn = self.turn % #self.turns + 1
  return self.turns[self.turn]
end

return RoundRobin
