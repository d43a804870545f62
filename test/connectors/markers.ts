/** What the source files write where a complainant is, and nowhere else. */
export const COMPLAINANT = /[翾旸翀劼祎珅赟燊甯骉]|154000\d{5}|000000\d{11}[\dXx]|虚拟市样本区|@example\.invalid/
